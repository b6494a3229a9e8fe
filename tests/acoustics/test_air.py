import numpy as np

from av_envs.acoustics.air import AIR_DB_PER_METRE, AIR_PER_METRE, air_attenuation_db_per_metre
from av_envs.conventions import BANDS_HZ


def test_attenuation_agrees_with_the_table_of_iso_9613_1():
    """Table 1 of the standard: 20 degrees C, 50 % humidity, one atmosphere, dB per km."""
    table = [0.445, 1.32, 2.73, 4.66, 9.86, 29.4, 104]
    np.testing.assert_allclose(1000 * AIR_DB_PER_METRE, table, rtol=0.03)


def test_dry_air_takes_more_at_high_frequencies():
    """The same table at 10 degrees C, 70 %: 9.66 dB/km at 2 kHz and 117 dB/km at 8 kHz."""
    cold = air_attenuation_db_per_metre(np.array([2000, 8000]), celsius=10, humidity=70)
    np.testing.assert_allclose(1000 * cold, [9.66, 117], rtol=0.03)


def test_energy_decays_as_the_decibels_say():
    assert len(AIR_PER_METRE) == len(BANDS_HZ)
    np.testing.assert_allclose(10 * np.log10(np.exp(-100 * AIR_PER_METRE)), -100 * AIR_DB_PER_METRE)
