"""How much louder an episode is played to people than agents hear it: gains, which are stated."""

from collections.abc import Sequence

import numpy as np

LEVEL_DB = -20.0  # root mean square of an episode as it is played, relative to full scale
PEAK_DB = -1.0  # which its loudest sample stays below
SILENCE_DB = -180.0


def listening_gain_db(sound: np.ndarray) -> float:
    """Whole decibels by which a sound (channels, n) is turned up for people; 0 for silence.

    Its mean level becomes LEVEL_DB, unless its loudest sample would exceed PEAK_DB.
    """
    return float(np.floor(even_gains_db([sound])[0]))


def even_gains_db(sounds: Sequence[np.ndarray]) -> list[float]:
    """Decibels by which sounds (channels, n) are turned up so that all are equally loud.

    Their mean levels become LEVEL_DB, or as much less as the loudest sample of one takes to stay
    below PEAK_DB. Silence has 0.
    """
    levels = [_decibels(np.sqrt(np.mean(np.square(sound, dtype=float)))) for sound in sounds]
    peaks = [_decibels(np.abs(sound).max(initial=0.0)) for sound in sounds]
    pairs = zip(levels, peaks, strict=True)
    allowed = [PEAK_DB - peak + level for level, peak in pairs if level > SILENCE_DB]
    common = min([LEVEL_DB, *allowed])
    return [common - level if level > SILENCE_DB else 0.0 for level in levels]


def _decibels(amplitude: float) -> float:
    return max(SILENCE_DB, 20 * float(np.log10(max(float(amplitude), 1e-12))))


def amplified(sound: np.ndarray, gain_db: float) -> np.ndarray:
    """float32, the sound with that gain."""
    return (sound * 10 ** (gain_db / 20)).astype(np.float32)
