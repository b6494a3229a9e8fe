"""Sounds of the surroundings that nobody looks for."""

import numpy as np
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE


def ambience(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float, wind-like noise."""
    noise = rng.standard_normal(n_seconds * SAMPLE_RATE)
    return lfilter([1.0], [1.0, -rng.uniform(0.7, 0.97)], noise)
