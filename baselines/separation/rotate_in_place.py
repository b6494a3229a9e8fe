"""Spin on the spot: every heading of the start node equally often.

"Rotate In-Place" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic
Sound Sources", ECCV 2022. Its mean gain is that of a random heading over the one it
started with, so with random starts it expects nothing; its best second shows what
turning alone could bring.
"""

from typing import Any

from gymnasium import spaces

from av_envs.baselines.separation.answer import Answer
from av_envs.baselines.separation.moves import RIGHT


class RotateInPlace:
    """Turns right every second. Not privileged."""

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *, seed: int):
        self._answer = Answer(observation_space, action_space)

    def reset(self, *, seed: int | None = None) -> None:
        """Nothing to forget."""

    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        return self._answer(RIGHT, observation)
