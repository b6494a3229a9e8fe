"""Directions as unit vectors in the frame of a listener: x forward, y to the left, z up.

Azimuths count counter-clockwise from straight ahead, so left is positive; elevations upwards.
"""

import numpy as np

from av_envs.conventions import HEADING_STEPS


def unit_vectors(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """(..., 3) from angles (...) in radians."""
    around = np.cos(elevation)
    return np.stack([around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)], -1)


def angles_of(directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth in (-pi, pi] and elevation, radians, of vectors (..., 3) of any length but 0."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


def angles_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Radians between unit vectors (..., 3), cosines clipped as in the reference code."""
    return np.arccos(np.clip((one * other).sum(axis=-1), -1 + 1e-7, 1 - 1e-7))


def folded(directions: np.ndarray) -> np.ndarray:
    """The same with what is behind the listener mirrored to the front, (..., 3)."""
    return np.concatenate([np.abs(directions[..., :1]), directions[..., 1:]], axis=-1)


def seen_from(heading: np.ndarray, world: np.ndarray) -> np.ndarray:
    """World vectors (..., 3) in the frame of listeners with headings (...) in quarter turns."""
    cos, sin = np.moveaxis(np.array(HEADING_STEPS)[np.asarray(heading) % 4], -1, 0)
    x, y, z = np.moveaxis(world, -1, 0)
    return np.stack([x * cos + y * sin, y * cos - x * sin, z], axis=-1)
