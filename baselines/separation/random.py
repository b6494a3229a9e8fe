"""Draw every move blindly: what moving without hearing is worth.

"Random" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022; their three moves and, because the task here has it, staying.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.baselines.separation.answer import MOVES, Answer


class Random:
    """Uniform over the four moves, from its own generator. Not privileged."""

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *, seed: int):
        self._answer = Answer(observation_space, action_space)
        self._rng = np.random.default_rng(seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)

    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        return self._answer(int(self._rng.integers(MOVES.n)), observation)
