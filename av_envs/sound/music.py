"""Pieces of music: a melody over chords, played by two instruments."""

import numpy as np

from av_envs.sound.clips import SAMPLE_RATE


def music(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float, plucked notes on a pentatonic scale."""
    out = np.zeros(n_seconds * SAMPLE_RATE)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for start in range(0, len(out) - SAMPLE_RATE + 1, SAMPLE_RATE // 4):
        frequency = 220 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
        for k in range(1, 9):
            tone = np.sin(2 * np.pi * k * frequency * time) * np.exp(-time * (2 + k)) / k
            out[start : start + SAMPLE_RATE] += tone
    return out
