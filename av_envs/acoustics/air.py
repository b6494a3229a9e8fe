"""Absorption of sound by air."""

import numpy as np

from av_envs.conventions import BANDS_HZ, SAMPLE_RATE

HIGHEST = SAMPLE_RATE / 2  # Hz: of what a response can hold


def air_attenuation_db_per_metre(
    frequency: np.ndarray, celsius: float = 20.0, humidity: float = 50.0, pressure: float = 101.325
) -> np.ndarray:
    """Pure-tone attenuation by atmospheric absorption, ISO 9613-1:1993, equations (3) to (5).

    frequency  (...) hertz
    humidity   relative, percent
    pressure   kilopascal
    returns    (...) dB per metre
    """
    kelvin, warmth = celsius + 273.15, (celsius + 273.15) / 293.15
    saturation = 10 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    moles = humidity * saturation * 101.325 / pressure  # molar concentration of vapour, percent
    ratio = pressure / 101.325
    oxygen = ratio * (24 + 4.04e4 * moles * (0.02 + moles) / (0.391 + moles))
    nitrogen = ratio * warmth**-0.5 * (9 + 280 * moles * np.exp(-4.170 * (warmth ** (-1 / 3) - 1)))
    f2 = np.square(np.asarray(frequency, float))
    classical = 1.84e-11 / ratio * np.sqrt(warmth)
    relaxation = warmth**-2.5 * (
        0.01275 * np.exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen)
        + 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen)
    )
    return 8.686 * f2 * (classical + relaxation)


def band_attenuation_db_per_metre(centre: float, n: int = 256) -> float:
    """Mean attenuation of the octave band around `centre` (Hz), as far as it can be heard.

    The mean of dB over frequency is what a decay of white noise begins with. Of the band at
    8 kHz only the part below half the sampling rate counts, which air takes less from than
    from the band's centre.
    """
    low, high = centre / np.sqrt(2), min(centre * np.sqrt(2), HIGHEST)
    middles = low + (high - low) * (np.arange(n) + 0.5) / n
    return float(air_attenuation_db_per_metre(middles).mean())


AIR_DB_PER_METRE = np.array([band_attenuation_db_per_metre(centre) for centre in BANDS_HZ])  # (7,)
AIR_PER_METRE = AIR_DB_PER_METRE * np.log(10) / 10  # (7,) energy, nepers per metre
