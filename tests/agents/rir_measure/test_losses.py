"""The loss of the generator is made of the distance that rewards are made of."""

import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.losses import magnitudes, rir_loss, stft_distance
from av_envs.rir_measure.metrics.stft_distance import distance, spectra


@pytest.fixture(scope="module")
def responses() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    decay = 0.05 * np.exp(-np.arange(16000) / 1500)
    truth = (rng.standard_normal((3, 2, 16000)) * decay).astype(np.float32)
    return truth, (0.7 * truth + 1e-3 * rng.standard_normal(truth.shape)).astype(np.float32)


def test_the_distance_is_that_of_the_environment(responses):
    truth, predicted = responses
    found = stft_distance(*map(torch.from_numpy, responses))
    expected = distance(spectra(truth), spectra(predicted))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    assert magnitudes(torch.from_numpy(truth)).shape == (3, 2, 134, 513)


def test_nothing_is_farther_than_nothing_from_itself(responses):
    truth = torch.from_numpy(responses[0])
    assert stft_distance(truth, truth).abs().max() == 0
    silent = torch.zeros(1, 16000)
    assert torch.isfinite(stft_distance(silent, truth[0, :1])).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_equation_4(responses, share):
    truth, predicted = map(torch.from_numpy, responses)
    square = 4464.2 * (truth - predicted).square().mean()
    far = 10 * stft_distance(truth, predicted).mean()
    expected = share * square + (1 - share) * far
    torch.testing.assert_close(rir_loss(truth, predicted, share), expected)


def test_silence_and_the_truth_have_gradients(responses):
    truth = torch.from_numpy(responses[0])
    for start in (torch.zeros_like(truth), truth.clone()):
        predicted = start.requires_grad_()
        rir_loss(truth, predicted, 0.5).backward()
        assert torch.isfinite(predicted.grad).all()
