"""The delay between the ears as a direction."""

import math

import numpy as np
import pytest
import torch

from av_envs.acoustics.spectrogram import stft
from av_envs.agents.separation.networks.gcc import gcc_place, lags_of
from av_envs.agents.separation.networks.locator import AZIMUTHS, PLACE_SIZE


def place(lag: int) -> torch.Tensor:
    """(43,) of noise that comes so many samples later to the right ear."""
    noise = np.random.default_rng(0).standard_normal(16_100).astype(np.float32)
    ears = np.stack([noise[50:-50], noise[50 - lag : 16_050 - lag]])
    spectra = torch.from_numpy(stft(ears))[None]
    return gcc_place(spectra, spectra.abs())[0]


@pytest.mark.parametrize(("lag", "degrees"), [(0, 0), (10, 70), (-10, -70), (5, 35)])
def test_a_delay_is_a_direction_in_front_or_behind(lag, degrees):
    chances = place(lag)[:AZIMUTHS].exp()
    assert chances.sum() == pytest.approx(1.0, abs=1e-5)
    likeliest = {int(k) * 10 for k in chances.topk(2).indices}
    wanted = {degrees % 360, (180 - degrees) % 360}
    apart = [min(abs((a - b + 180) % 360 - 180) for b in wanted) for a in likeliest]
    assert max(apart) <= 10


def test_distances_are_all_alike():
    assert place(3).shape == (PLACE_SIZE,)
    assert place(3)[AZIMUTHS:].exp().tolist() == pytest.approx([1 / 7] * 7)


def test_lags_of_a_sphere():
    found = lags_of(torch.tensor([0.0, math.pi / 2, -math.pi / 2, math.pi]))
    most = (1 + math.pi / 2) * 0.0875 / 343 * 16_000
    torch.testing.assert_close(found, torch.tensor([0.0, most, -most, 0.0]), atol=1e-5, rtol=0)
