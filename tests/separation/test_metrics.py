"""Scores and rewards against cases with an answer known in closed form."""

import math

import numpy as np
import pytest

from av_envs.acoustics.spectrogram import stft
from av_envs.separation.metrics import (
    LANES,
    _project,
    normalised_error,
    si_sdr,
    squared_error,
    stft_distance,
    target_to_rest_db,
)
from av_envs.separation.rewards import reward

t = np.arange(16_000) / 16_000
tone = np.sin(2 * np.pi * 50 * t).astype(np.float32)
other = np.sin(2 * np.pi * 80 * t).astype(np.float32)  # orthogonal


@pytest.mark.parametrize(("noise_gain", "decibels"), [(1.0, 0.0), (0.1, 20.0), (10.0, -20.0)])
def test_orthogonal_noise_gives_the_energy_ratio(noise_gain, decibels):
    noise_gain = np.float32(noise_gain)
    assert si_sdr(tone + noise_gain * other, tone) == pytest.approx(decibels, abs=1e-3)


def test_loudness_sign_and_offset_do_not_matter():
    noisy = tone + np.float32(0.5) * other
    expected = 20 * math.log10(2)
    for estimate in (noisy, 7 * noisy, -noisy, noisy + np.float32(0.3)):
        assert si_sdr(estimate, tone) == pytest.approx(expected, abs=1e-3)


def test_a_perfect_estimate_scores_over_60_db_and_many_rows_at_once():
    scores = si_sdr(np.stack([tone, tone + other]), tone)
    assert scores.shape == (2,)
    assert scores[0] > 60
    assert scores[1] == pytest.approx(0, abs=1e-3)


def added(values: np.ndarray) -> float:
    """The sum of values (n,) in the order of the kernel."""
    sums = np.zeros(LANES)
    for first in range(0, len(values), LANES):
        part = values[first : first + LANES]
        sums[: len(part)] += part
    return sum(sums.tolist())


@pytest.mark.parametrize("n", [100, 16_000, 16_001])
def test_energies_are_added_in_one_order_to_the_last_bit(n):
    """So they do not depend on what a compiler makes of the kernel."""
    rng = np.random.default_rng(n)
    target = rng.standard_normal(n).astype(np.float32)
    estimates = target + rng.standard_normal((2, n)).astype(np.float32)
    kept, lost = np.empty(2), np.empty(2)
    assert _project(estimates, target, kept, lost)
    target = target.astype(float)
    mean = added(target) / n
    centred = target - mean
    energy = added(centred**2)
    for row, estimate in enumerate(estimates.astype(float)):
        scale = added(estimate * centred) / energy
        offset = added(estimate) / n - scale * mean
        assert kept[row] == scale * scale * energy
        assert lost[row] == added((estimate - scale * target - offset) ** 2)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.3, 1e-12, 1e9, 0.1, 1 / 3])
def test_a_constant_estimate_holds_nothing_of_the_target(value):
    """But for rounding, which used to look like a perfect estimate."""
    for target in (tone, tone + np.float32(0.2), other):
        constant = np.full_like(tone, value)
        assert si_sdr(constant, target) == pytest.approx(-100, abs=1e-6)
        assert si_sdr(np.stack([target, constant]), target)[1] == pytest.approx(-100, abs=1e-6)
    assert si_sdr(tone + np.float32(300), tone) > 60


@pytest.mark.parametrize(
    ("target", "rest", "decibels"),
    [
        (1, 1, 0),
        (1e3, 1, 30),
        (1, 0, 100),
        (0, 1, -100),
        (0, 0, -100),
        (1e20, 1, 100),
        (1, 1e30, -100),
    ],
)
def test_target_to_rest_has_a_floor_and_a_ceiling(target, rest, decibels):
    assert target_to_rest_db(target, rest) == pytest.approx(decibels)


def test_a_silent_target_has_no_ratio_and_a_silent_estimate_the_lowest():
    assert np.isnan(si_sdr(tone, np.zeros_like(tone)))
    assert si_sdr(np.zeros_like(tone), tone) == pytest.approx(-100, abs=1e-6)


@pytest.mark.parametrize("gain", [1e-15, 1e-6, 1e6])
def test_whispering_an_estimate_wins_nothing(gain):
    """A floor of absolute power would lift faint estimates to 0 dB."""
    poor = other + np.float32(0.1) * tone
    assert si_sdr(np.float32(gain) * poor, tone) == pytest.approx(-20, abs=1e-3)


def test_silence_scores_0_72_against_a_normalised_second():
    """Section 19 of the acceptance checks: half of 1.2 squared."""
    magnitude = np.abs(stft(tone))
    magnitude *= 1.2 / np.sqrt(np.mean(magnitude**2))
    error = squared_error(np.zeros_like(magnitude), magnitude)
    assert stft_distance(error) == pytest.approx(0.72, abs=1e-3)
    assert normalised_error(error) == pytest.approx(1, abs=1e-3)
    assert squared_error(magnitude, magnitude) == 0
    assert squared_error(magnitude + 3, magnitude) == pytest.approx(9, rel=1e-5)


def test_rewards_are_their_formulas():
    now = {"si_sdr": 3.0, "si_sdr_gain": 1.5, "nmse": 0.2, "is_last": False}
    before = {"nmse": 0.5}
    assert reward("si_sdr", now, before) == 3.0
    assert reward("si_sdr_gain", now, before) == 1.5
    assert reward("neg_nmse", now, before) == -0.2
    assert reward("improvement", now, before) == pytest.approx(0.3)
    assert reward("improvement", {**now, "is_last": True}, before) == pytest.approx(0.3 - 2.0)
    assert reward("approach", {"geodesic_to_target": 6.0}, {"geodesic_to_target": 7.0}) == 1.0


@pytest.mark.parametrize("name", ["si_sdr_gain", "si_sdr", "neg_nmse", "improvement"])
def test_a_silent_second_is_worth_nothing(name):
    now = {"si_sdr": np.nan, "si_sdr_gain": np.nan, "nmse": np.nan, "is_last": False}
    assert reward(name, now, {"nmse": 0.1}) == 0.0
