"""Smaller observations, with which small networks learn on a processor.

A second of sound and a picture take 246 kB, what is left of them here 3 kB. Nothing is added
that the observation does not say.
"""

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

Arrays = dict[str, np.ndarray]

DROPPED = ("rgb",)
CELLS = 16  # of a depth picture, along each side
NEAREST = 0.02  # of the depth's range of 10 m
BANDS = 32  # evenly wide on the mel scale, of a spectrum of 512 bins up to 8 kHz
FRAMES = 8  # of a second of 32 windows
FAINTEST = 1e-6  # mean squared magnitude that counts as silence; a room's quiet end is 1e-5
LEVEL_RANGE = (-6.0, 3.0)  # log10 of the mean squared magnitude
DIFFERENCE = 2.0  # log10 of the ratio between the ears that becomes 1
_MEL = np.linspace(0, np.log10(1 + 8000 / 700), BANDS + 1)
_EDGES = np.round((10**_MEL - 1) * 700 / 8000 * 512).astype(int)


def downsampled(observation: Mapping[str, np.ndarray]) -> Arrays:
    """Arrays as the environments return them, any axes in front, made small.

    depth    (16, 16, 1) float32: the nearest thing in each cell of the picture, 0..1 on a
             logarithmic scale from 0.2 m to 10 m
    mixture  (2, 32, 8) float32 of 32 bands and eight parts of the second: the mean level of both
             ears, 0..1 on a scale of 90 dB, and by how much the left is louder, 1 being 20 dB
    rgb      is left out; everything else stays as it is
    """
    small = {key: array for key, array in observation.items() if key not in DROPPED}
    if "depth" in small:
        small["depth"] = _nearest(small["depth"])
    if "mixture" in small:
        small["mixture"] = _levels(small["mixture"])
    return small


def downsampled_space(space: spaces.Dict) -> spaces.Dict:
    """The space of `downsampled` observations, of one observer or of a team."""
    small = {key: own for key, own in space.spaces.items() if key not in DROPPED}
    for key in ("depth", "mixture"):
        if key in small:
            shape = downsampled({key: np.zeros(small[key].shape, np.float32)})[key].shape
            small[key] = spaces.Box(-1, 1, shape, np.float32)
    return spaces.Dict(small)


def _nearest(depth: np.ndarray) -> np.ndarray:
    """(..., 128, 128, 1) -> (..., 16, 16, 1)"""
    *front, height, width, one = depth.shape
    cells = depth.reshape(*front, CELLS, height // CELLS, CELLS, width // CELLS, one)
    nearest = np.maximum(cells.min(axis=(-4, -2)), NEAREST)
    return 1 - np.log(nearest, dtype=np.float32) / np.log(NEAREST, dtype=np.float32)


def _levels(mixture: np.ndarray) -> np.ndarray:
    """(..., 2, 512, 32) log1p magnitudes -> (..., 2, 32, 8)"""
    *front, bins, windows = mixture.shape
    energy = np.expm1(mixture)
    energy *= energy
    energy = energy.reshape(*front, bins, FRAMES, windows // FRAMES).mean(axis=-1)
    bands = np.add.reduceat(energy, _EDGES[:-1], axis=-2) / np.diff(_EDGES)[:, np.newaxis]
    low, high = LEVEL_RANGE
    left, right = np.moveaxis(np.log10(np.maximum(bands, FAINTEST), dtype=np.float32), -3, 0)
    level = np.clip(((left + right) / 2 - low) / (high - low), 0, 1)
    return np.stack([level, np.clip((left - right) / DIFFERENCE, -1, 1)], axis=-3)
