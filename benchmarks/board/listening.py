"""How much louder an episode is played to people than agents hear it: one gain, which is stated."""

import numpy as np

LEVEL_DB = -20.0  # root mean square of an episode as it is played, relative to full scale
PEAK_DB = -1.0  # which its loudest sample stays below
SILENCE = 1e-9


def listening_gain_db(sound: np.ndarray) -> float:
    """Whole decibels by which a sound (channels, n) is turned up for people; 0 for silence.

    Its mean level becomes LEVEL_DB, unless its loudest sample would exceed PEAK_DB.
    """
    level = float(np.sqrt(np.mean(np.square(sound, dtype=float))))
    peak = float(np.abs(sound).max(initial=0.0))
    if level < SILENCE:
        return 0.0
    wanted = LEVEL_DB - 20 * np.log10(level)
    allowed = PEAK_DB - 20 * np.log10(peak)
    return float(np.floor(min(wanted, allowed)))


def amplified(sound: np.ndarray, gain_db: float) -> np.ndarray:
    """float32, the sound with that gain."""
    return (sound * 10 ** (gain_db / 20)).astype(np.float32)
