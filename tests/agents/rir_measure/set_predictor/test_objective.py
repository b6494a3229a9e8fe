"""The loss against the STFT distance of rendered responses."""

import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.set_predictor.network import Compact
from av_envs.agents.rir_measure.set_predictor.objective import Truth, describe_truth, distance
from av_envs.rir_measure.metrics.stft_distance import distance as rendered_distance
from av_envs.rir_measure.metrics.stft_distance import spectra
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.envelope import Decomposition, compose, decompose, free_field
from av_envs.rir_measure.predictors.geometry import arrivals

N = 8


@pytest.fixture(scope="module")
def heard():
    """Pairs, with decaying noise and, for every other one, direct sound."""
    rng = np.random.default_rng(0)
    ends = [np.column_stack([rng.uniform(0, 5, (N, 2)), np.full(N, 1.5)]) for _ in range(2)]
    pairs = Pairs(*(end.astype(np.float32) for end in ends), rng.integers(4, size=N))
    rirs = np.zeros((N, 2, 16000), np.float32)
    rows = zip(rirs, arrivals(pairs), *free_field(pairs, "kemar"), strict=True)
    for k, (rir, delay, start, pulse) in enumerate(rows):
        time = np.arange(16000 - delay)
        rir[:, delay:] = 0.02 * rng.standard_normal((2, len(time))) * np.exp(-time / 1500)
        if k % 2:
            heard = pulse[:, max(0, -start) :]
            rir[:, max(0, start) :][:, : heard.shape[1]] += heard
    return pairs, rirs


def both(pairs, rirs, parts: Decomposition) -> tuple[np.ndarray, np.ndarray]:
    """The loss, and the distance of what is rendered."""
    truth = Truth(*(torch.from_numpy(a).float() for a in describe_truth(pairs, rirs)))
    compact = Compact(*(torch.from_numpy(np.float32(array)) for array in parts))
    loss = distance(compact, truth, torch.from_numpy(arrivals(pairs))).numpy()
    rendered = spectra(compose(pairs, parts, 16000))
    return loss, rendered_distance(spectra(rirs), rendered).mean(axis=1)


@pytest.mark.parametrize("nepers", [-4.0, -1.0, 0.0, 1.0, 3.0])
def test_the_loss_is_near_the_distance_of_the_rendered_response(nepers, heard):
    """For noise; the colour of direct sound within an octave is lost, so with it it is larger."""
    parts = decompose(*heard)
    louder = Decomposition(parts.direct, np.float32(parts.envelope + nepers))
    loss, true = both(*heard, louder)
    assert loss[::2] == pytest.approx(true[::2], rel=0.15, abs=0.08)
    assert (loss > true - 0.08).all()
    assert (loss < true + 0.25).all()


def test_direct_sound_counts(heard):
    parts = decompose(*heard)
    loss, _ = both(*heard, parts._replace(direct=1 - parts.direct))
    right, _ = both(*heard, parts)
    assert (loss > right).all()


def test_it_has_finite_slopes_even_at_silence(heard):
    pairs, rirs = heard
    truth = Truth(*(torch.from_numpy(a).float() for a in describe_truth(pairs, 0 * rirs)))
    direct = torch.zeros(N, requires_grad=True)
    envelope = torch.full((N, 2, 28, 7), -46.0, requires_grad=True)
    loss = distance(Compact(direct, envelope), truth, torch.from_numpy(arrivals(pairs)))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(direct.grad).all()
    assert torch.isfinite(envelope.grad).all()
