"""Every surrounding sounds, all the time, and unlike the others."""

import numpy as np
import pytest
from listening import quietest_second, share_between

from av_envs.sound.analysis.measures import octave_levels
from av_envs.sound.synthesis.ambience import BACKGROUNDS, EVENTS, ambience, clock, rain, wind

KINDS = (*BACKGROUNDS, *EVENTS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_sounds_and_repeats_itself_exactly(kind):
    first, again = (kind(80_000, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (80_000,)
    assert np.isfinite(first).all()
    assert np.std(first) > 0
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("kind", BACKGROUNDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_a_background_has_no_silent_second(kind, seed):
    assert quietest_second(kind(320_000, np.random.default_rng(seed))) > 0.15


@pytest.mark.parametrize("seed", range(10))
def test_ambience_has_no_silent_second(seed):
    assert quietest_second(ambience(20, np.random.default_rng(seed))) > 0.15


def test_kinds_differ_in_their_spectra():
    levels = np.array([octave_levels(kind(80_000, np.random.default_rng(1))) for kind in KINDS])
    distance = np.abs(levels[:, None] - levels).mean(axis=2) + 100 * np.eye(len(KINDS))
    assert distance.min() > 1


def test_wind_is_low_and_rain_is_high():
    low, high = (kind(160_000, np.random.default_rng(2)) for kind in (wind, rain))
    assert share_between(low, 0, 1000) > 0.8 > 0.4 > share_between(high, 0, 1000)


def test_ambience_changes_while_it_lasts():
    sound = ambience(18, np.random.default_rng(4))
    levels = [octave_levels(sound[start : start + 80_000]) for start in (0, 100_000, 200_000)]
    assert np.abs(np.diff(levels, axis=0)).max(axis=1).min() > 2


def test_a_clock_keeps_time():
    ticks = clock(320_000, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(ticks**2 - np.mean(ticks**2)))[: 20 * 20]  # up to 20 Hz
    loudest = power.argmax() / 20
    assert loudest == pytest.approx(round(loudest), abs=0.06)
