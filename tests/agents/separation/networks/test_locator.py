"""What the locator hears: interaural phases, by frequency and by lag."""

import numpy as np
import pytest
import torch

from av_envs.acoustics.spectrogram import stft
from av_envs.agents.separation.networks.delays import LAGS
from av_envs.agents.separation.networks.locator import (
    AZIMUTHS,
    EDGES,
    PHASE_BINS,
    RANGES,
    LocatorConfig,
    TargetLocator,
    phases_of,
    ranges_of,
)
from av_envs.agents.separation.networks.unet import UNetExtractor
from tests.agents.separation.small_networks import TINY, small_separator

LOCATOR = LocatorConfig(n_classes=5, tcn=TINY, blocks=1, hidden=8)


def locator() -> TargetLocator:
    torch.manual_seed(0)
    return TargetLocator(LOCATOR).eval()


def spectra(lag: int = 0, seed: int = 0) -> torch.Tensor:
    """(1, 2, 512, 32) of noise that comes so many samples later to the right ear."""
    noise = np.random.default_rng(seed).standard_normal(16_100).astype(np.float32)
    ears = np.stack([noise[50:-50], noise[50 - lag : 16_050 - lag]])
    return torch.from_numpy(stft(ears))[None]


def test_probabilities():
    heard = spectra()
    azimuth, distance = locator()(heard.abs(), phases_of(heard), torch.tensor([3]))
    assert (azimuth.shape, distance.shape) == ((1, AZIMUTHS), (1, RANGES))
    torch.testing.assert_close(azimuth.exp().sum(), torch.tensor(1.0))
    torch.testing.assert_close(distance.exp().sum(), torch.tensor(1.0))


def test_phases_have_no_size_and_silence_none():
    heard = spectra(3)
    phases = phases_of(heard)
    assert phases.shape == (1, 2 * PHASE_BINS, 32)
    sizes = phases.unflatten(1, (2, PHASE_BINS)).norm(dim=1)
    torch.testing.assert_close(sizes, torch.ones_like(sizes))
    torch.testing.assert_close(phases_of(5 * heard), phases)
    assert not phases_of(torch.zeros_like(heard)).any()


@pytest.mark.parametrize("lag", [-7, 0, 4])
def test_a_delay_is_a_peak_at_its_lag(lag):
    heard = spectra(lag)
    found = locator().correlations(phases_of(heard), heard.abs(), torch.ones(1, PHASE_BINS, 32))
    assert (found.argmax(dim=-1) == LAGS // 2 - lag).all()
    assert (found.amax(dim=-1) > 0.9).all()


def test_only_the_share_of_the_target_counts():
    ours, others = spectra(5, seed=1), spectra(-6, seed=2)
    low = torch.arange(512)[:, None] < PHASE_BINS // 2
    heard = torch.where(low, ours, others)
    shares = low[:PHASE_BINS].float().expand(1, -1, 32)
    found = locator().correlations(phases_of(heard), heard.abs(), shares)
    assert found[0, 0].argmax() == LAGS // 2 - 5
    assert found[0, 1].max() < found[0, 0].max()


def test_ranges():
    edge = torch.tensor(EDGES)
    assert ranges_of(edge - 0.01).tolist() == list(range(len(EDGES)))
    assert ranges_of(edge + 0.01).tolist() == list(range(1, RANGES))


def test_begins_with_what_the_separator_knows():
    separator, one = small_separator(5), locator()
    one.begin_with(separator.extractor)
    mixture, label = spectra().abs(), torch.tensor([2])
    torch.testing.assert_close(
        one.extractor(mixture, label)[0], separator.extractor(mixture, label)[0]
    )
    bias = separator.extractor.mask.bias
    torch.testing.assert_close(one.shares.bias[7], (bias[7] + bias[512 + 7]) / 2)


def test_cannot_begin_with_another_network():
    with pytest.raises(ValueError, match="begins with a TCNExtractor, got UNetExtractor"):
        locator().begin_with(UNetExtractor(5, (4, 4, 4, 4, 4), "film", "mask"))
