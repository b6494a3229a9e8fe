"""Spin on the spot: every heading of the start node equally often.

"Rotate In-Place" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic
Sound Sources", ECCV 2022. Its mean gain is that of a random heading over the one it
started with, so with random starts it expects nothing; its best second shows what
turning alone could bring.
"""

from typing import Any

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import RIGHT


class RotateInPlace(Heuristic):
    """Turns right every second. Not privileged."""

    def move(self, observation: dict[str, Any]) -> int:
        return RIGHT
