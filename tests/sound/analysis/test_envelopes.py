"""Measures of how sounds move, against sounds that move in a known way."""

import numpy as np
import pytest

from av_envs.sound import SAMPLE_RATE
from av_envs.sound.analysis.envelopes import (
    chroma,
    envelope,
    levels,
    modulation_spectrum,
    octave_envelopes,
    onset_rate,
    rise_times,
    spectral_flux,
    syllabic_share,
)

TIME = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
NOISE = np.random.default_rng(0).standard_normal(len(TIME))


def beating(hertz):
    return NOISE * (1 + np.sin(2 * np.pi * hertz * TIME))


@pytest.mark.parametrize(("hertz", "inside"), [(1.0, False), (3.0, True), (6.0, True), (15, False)])
def test_a_beat_between_2_and_8_hz_is_syllabic(hertz, inside):
    share = syllabic_share(envelope(beating(hertz)))
    assert share > 0.85 if inside else share < 0.15


def test_the_modulation_spectrum_peaks_at_the_beat():
    frequency, power = modulation_spectrum(envelope(beating(5.0)))
    assert power.sum() == pytest.approx(1)
    assert frequency[power.argmax()] == pytest.approx(5.0, abs=0.3)


def test_octaves_have_envelopes_of_their_own():
    tone = np.sin(2 * np.pi * 1000 * TIME) * (1 + np.sin(2 * np.pi * 4 * TIME))
    bands = octave_envelopes(tone + 0.001 * NOISE)
    assert bands.shape[0] == 6
    assert bands[3].mean() > 20 * bands[0].mean()
    assert syllabic_share(bands[3]) > 0.9


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.1])
def test_rises_last_as_long_as_they_are_made(seconds):
    at = TIME % 0.5
    # Straight in dB: 60 dB in three times the time of 17 dB from -20 to -3.
    decibels = np.clip(60 * (at - 0.1) / (60 / 17 * seconds), 0, 60) - 60
    loudness = np.where(at < 0.4, 10 ** (decibels / 20), 0.001)
    found = rise_times(NOISE * loudness)
    assert len(found) >= 19  # one a period, or one for every peak on its plateau
    assert np.median(found) == pytest.approx(seconds, rel=0.35, abs=0.006)


def test_levels_are_relative_to_the_clip():
    halves = np.concatenate([NOISE[:80_000], 0.01 * NOISE[:80_000]])
    found = levels(halves)
    assert found[:200].mean() == pytest.approx(3.0, abs=0.2)
    assert found[-200:].mean() == pytest.approx(-37.0, abs=0.2)


def test_onsets_are_counted_and_a_steady_tone_has_none():
    strokes = NOISE * np.exp(-(TIME % 0.25) / 0.04)
    assert onset_rate(strokes) == pytest.approx(4.0, abs=0.3)
    steady = np.sin(2 * np.pi * 440 * TIME)
    assert onset_rate(steady) < 0.3
    assert spectral_flux(steady).mean() < 0.1 < spectral_flux(strokes).mean()


def test_chroma_knows_the_pitch_class_in_every_octave():
    for hertz in (220.0, 440.0, 880.0):
        assert chroma(np.sin(2 * np.pi * hertz * TIME)).mean(axis=0)[0] > 0.95
    fifth = chroma(np.sin(2 * np.pi * 659.26 * TIME)).mean(axis=0)
    assert fifth.argmax() == 7
