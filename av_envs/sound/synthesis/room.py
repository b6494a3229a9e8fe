"""What the room of a recording adds to its sound."""

import numpy as np
from scipy.signal import oaconvolve

from av_envs.sound.clips import SAMPLE_RATE


def in_a_room(sound: np.ndarray, echo: float, decay: float, rng: np.random.Generator) -> np.ndarray:
    """The sound and what a room adds to it, as long as before.

    echo   RMS of what is added over that of the sound
    decay  s, in which it falls by 60 dB
    """
    time = np.arange(round(decay * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    tail = rng.standard_normal(len(time), dtype=np.float32) * 10 ** (-3 * time / decay)
    tail[: round(0.004 * SAMPLE_RATE)] = 0  # no wall is nearer
    added = oaconvolve(sound.astype(np.float32), tail)[: len(sound)]
    return sound + echo * np.linalg.norm(sound) / np.linalg.norm(added) * added
