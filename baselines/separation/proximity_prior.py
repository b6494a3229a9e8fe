"""Wander at random close to the target: what being near is worth without listening.

"Proximity Prior" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic
Sound Sources", ECCV 2022, the best of their heuristics. Their episodes start on the
target; from farther away it walks the shortest way in first. A straight line knows no
walls: two metres away may be the next room.

Privileged: it knows where the target is and the way there.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import STAY, first_move

SLACK = 1e-3  # m; positions are float32, and nodes lie at the radius exactly


class ProximityPrior(Heuristic):
    """Uniform over the moves that keep it within `radius` metres of the target. Privileged."""

    privileged = ("route_heading", "straight_after")

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        radius: float = 2.0,
        **options: Any,
    ):
        if not radius > 0:
            raise ValueError(f"radius must be positive metres, got {radius!r}")
        super().__init__(observation_space, action_space, **options)
        self._radius = radius

    def move(self, observation: dict[str, Any], privileged: dict[str, np.ndarray]) -> int:
        """The next move.

        privileged["straight_after"]  (4,) m in a straight line to the target after each move
        privileged["route_heading"]   () first step to a node beside the target, 0 ahead, 1 left,
                                      2 behind, 3 right; -1 on such a node
        """
        distances = np.asarray(privileged["straight_after"], np.float64)
        way, here = int(privileged["route_heading"]), distances[STAY]
        if here > self._radius + SLACK and way >= 0:
            return first_move(way)
        # a grid wider than the radius has no node inside: then it goes no farther than it is
        allowed = np.flatnonzero(distances <= max(here, self._radius) + SLACK)
        return int(self._rng.choice(allowed))
