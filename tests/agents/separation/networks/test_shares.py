"""How much of what is heard is the target's."""

import math

import pytest
import torch

from av_envs.agents.separation.networks.encoders import bands
from av_envs.agents.separation.networks.shares import OF_AN_EAR, SIZE, ShareEncoder, shares

OF_BANDS = 32 * 8


def sound(seed: int = 0) -> torch.Tensor:
    return 0.5 + torch.rand(2, 2, 512, 32, generator=torch.Generator().manual_seed(seed))


def of(mixture: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    return shares(bands(mixture), bands(image))


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1], ids=str)
def test_a_share_is_that_of_the_energy(gain):
    found = of(sound(), gain * sound())
    assert found.shape == (2, SIZE)
    torch.testing.assert_close(
        found[:, : 2 * OF_BANDS], torch.full((2, 2 * OF_BANDS), gain**2), atol=1e-4, rtol=1e-3
    )
    logs = found[:, 2 * OF_BANDS :][:, :9]
    torch.testing.assert_close(logs, torch.full((2, 9), 2 * math.log10(gain)), atol=1e-3, rtol=0)


def test_every_ear_has_its_own():
    image = sound()
    image[:, 1] *= 0.5
    found = of(sound(), image)[0]
    assert found[:OF_BANDS].mean().item() == pytest.approx(1.0, abs=1e-3)
    assert found[OF_BANDS : 2 * OF_BANDS].mean().item() == pytest.approx(0.25, abs=1e-3)
    assert found[2 * OF_BANDS + OF_AN_EAR].item() == pytest.approx(-0.602, abs=1e-2)


def test_five_decibels_between_the_ears_are_one():
    image = sound()
    image[:, 1] = image[:, 0] * 10 ** (-5 / 20)
    assert of(2 * sound(), image)[0, -2].item() == pytest.approx(1.0, abs=1e-2)


def test_what_is_left_of_the_mixture_has_a_side():
    left = torch.zeros(1, 2, 512, 32)
    left[:, 0] = 1.0
    even = torch.full((1, 2, 512, 32), 0.5)
    mixture = (even.square() + 0.5 * left).sqrt()
    assert of(mixture, even)[0, -1] > 3  # all but nothing is left at the right ear
    assert of(mixture, even)[0, -2].item() == pytest.approx(0.0, abs=1e-3)


def test_silence_is_finite():
    nothing = torch.zeros(1, 2, 512, 32)
    assert of(nothing, nothing).isfinite().all()
    assert ShareEncoder()(bands(nothing), bands(nothing)).isfinite().all()


def test_whole_spectrograms_are_refused():
    with pytest.raises(ValueError, match=r"bands must be \(B, 3, 32, 8\)"):
        shares(sound(), sound())
