"""The true bearing and distance of the target as an observation, for ablations.

They come from `privileged` of the environment, not from its observations.
"""

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

TOLD = ("target_bearing", "straight_after", "distances_after", "forward_is_free")
STAY = 3  # the action after which the agent is where it is
FAR = 10.0  # m that become 1
SIZE = 5


def told(privileged: Mapping[str, np.ndarray]) -> np.ndarray:
    """(..., 5) float32: cosine and sine of the bearing, distance straight and walked in units of
    10 m, and whether a step forward is free.

    privileged  the keys TOLD of `SeparationEnv.privileged`, any axes in front
    """
    bearing = np.asarray(privileged["target_bearing"])
    straight = np.asarray(privileged["straight_after"])[..., STAY]
    walked = np.asarray(privileged["distances_after"])[..., STAY]
    free = np.asarray(privileged["forward_is_free"])
    numbers = (np.cos(bearing), np.sin(bearing), straight / FAR, walked / FAR, free)
    return np.stack(numbers, axis=-1).astype(np.float32)


def told_space() -> spaces.Box:
    return spaces.Box(-1, np.inf, (SIZE,), np.float32)
