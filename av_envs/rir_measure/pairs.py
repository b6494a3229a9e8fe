"""Emitter and receiver positions of impulse responses."""

from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """Emitters and receivers of P impulse responses.

    emitter   (P, 3) float32, metres in the world frame, of the loudspeaker
    receiver  (P, 3) float32, metres, of the middle of the head
    heading   (P,) int, quarter turns of the receiver from east
    """

    emitter: np.ndarray
    receiver: np.ndarray
    heading: np.ndarray
