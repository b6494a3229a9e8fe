"""Draw every action blindly: what moving without hearing is worth."""

from typing import Any

import numpy as np
from gymnasium import spaces


class Random:
    """Uniform over the actions, from its own generator."""

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Discrete, *, seed: int
    ):
        self._n_actions = int(action_space.n)
        self._rng = np.random.default_rng(seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)

    def act(self, observation: dict[str, Any]) -> int:
        return int(self._rng.integers(self._n_actions))
