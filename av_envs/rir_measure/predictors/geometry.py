"""Distance, azimuth and arrival time between the two ends of a pair."""

import numpy as np

from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.rir_measure.pairs import Pairs


def distances(pairs: Pairs) -> np.ndarray:
    """(P,) metres between emitter and receiver."""
    return np.linalg.norm(pairs.emitter - pairs.receiver, axis=-1)


def azimuths(pairs: Pairs) -> np.ndarray:
    """(P,) radians from the receiver's nose to the emitter, counter-clockwise."""
    x, y, _ = (pairs.emitter - pairs.receiver).T
    return np.arctan2(y, x) - pairs.heading * (np.pi / 2)


def arrivals(pairs: Pairs) -> np.ndarray:
    """(P,) samples until sound on the straight line arrives."""
    return np.round(distances(pairs) * (SAMPLE_RATE / SPEED_OF_SOUND)).astype(int)


def both_ends(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """(P, 6) emitter then receiver, and receiver then emitter, metres."""
    ends = pairs.emitter, pairs.receiver
    return np.concatenate(ends, axis=1), np.concatenate(ends[::-1], axis=1)
