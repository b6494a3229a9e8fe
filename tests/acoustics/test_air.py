import numpy as np
import pytest

from av_envs.acoustics.air import AIR_DB_PER_METRE, AIR_PER_METRE, air_attenuation_db_per_metre
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE


def test_attenuation_agrees_with_the_table_of_iso_9613_1():
    """Table 1 of the standard: 20 degrees C, 50 % humidity, one atmosphere, dB per km."""
    table = [0.445, 1.32, 2.73, 4.66, 9.86, 29.4, 104]
    tones = air_attenuation_db_per_metre(np.array(BANDS_HZ))
    np.testing.assert_allclose(1000 * tones, table, rtol=0.03)


def test_dry_air_takes_more_at_high_frequencies():
    """The same table at 10 degrees C, 70 %: 9.66 dB/km at 2 kHz and 117 dB/km at 8 kHz."""
    cold = air_attenuation_db_per_metre(np.array([2000, 8000]), celsius=10, humidity=70)
    np.testing.assert_allclose(1000 * cold, [9.66, 117], rtol=0.03)


def test_energy_decays_as_the_decibels_say():
    assert len(AIR_PER_METRE) == len(BANDS_HZ)
    np.testing.assert_allclose(10 * np.log10(np.exp(-100 * AIR_PER_METRE)), -100 * AIR_DB_PER_METRE)


def test_a_band_loses_what_the_part_of_it_that_can_be_heard_loses():
    """0.079 dB/m from 5.7 to 8 kHz; the tone at 8 kHz, at the edge of it, 0.105."""
    assert AIR_DB_PER_METRE[-1] == pytest.approx(0.079, abs=0.0005)
    for centre, band in zip(BANDS_HZ, AIR_DB_PER_METRE, strict=True):
        edges = np.array([centre / np.sqrt(2), min(centre * np.sqrt(2), SAMPLE_RATE / 2)])
        tones = air_attenuation_db_per_metre(np.linspace(*edges, 5001))
        assert band == pytest.approx(tones.mean(), rel=1e-3)
        assert tones[0] < band < tones[-1]


@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.0])
def test_a_band_decays_as_white_noise_in_it_does(seconds):
    """Walls that alone would take 60 dB in so long, and air: the first 20 dB, below 2 %."""
    time = np.linspace(0, 1.5, 3001)
    edges = BANDS_HZ[-1] / np.sqrt(2), SAMPLE_RATE / 2
    tones = air_attenuation_db_per_metre(np.linspace(*edges, 501))
    walls = 60 / seconds
    power = 10 ** (-(walls + 343 * tones) * time[:, None] / 10)
    left = np.cumsum(power.mean(axis=1)[::-1])[::-1]
    level = 10 * np.log10(left / left[0])
    used = (level <= -5) & (level >= -25)
    t20 = -60 / np.polyfit(time[used], level[used], 1)[0]
    assert 60 / (walls + 343 * AIR_DB_PER_METRE[-1]) == pytest.approx(t20, rel=0.02)
