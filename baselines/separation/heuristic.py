"""Base of the heuristics for the separation task: action spaces, seeds and estimates."""

from typing import Any

import numpy as np
from gymnasium import spaces

MOVES = spaces.Discrete(4)


class Heuristic:
    """An agent that chooses moves and does not separate.

    A subclass defines `move(observation)`, with `privileged` as a second argument where it
    declares that, and `forget` where it keeps something during an episode.

    With the action space `Discrete(4)` an action is the move. With `Dict(move, estimate)`, the
    space of `estimator="agent"`, it has the last second at the louder ear as its estimate, so
    that the score tells what the moves are worth.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *, seed: int):
        self._estimates = isinstance(action_space, spaces.Dict)
        moves = action_space.spaces.get("move") if self._estimates else action_space
        if moves != MOVES:
            raise ValueError(
                f"a separation baseline needs {MOVES} (0 forward, 1 left, 2 right, 3 stay) "
                f"or a Dict with it as 'move', got {action_space}"
            )
        if self._estimates and set(action_space.spaces) != {"move", "estimate"}:
            raise ValueError(f"can answer with 'move' and 'estimate' only, got {action_space}")
        if self._estimates and "mixture" not in observation_space.spaces:
            raise ValueError("an estimate needs the observation 'mixture'; the space has none")
        self._rng = np.random.default_rng(seed)
        self.forget()

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.forget()

    def forget(self) -> None:
        """Clear what was kept of the episode before."""

    def move(self, observation: dict[str, Any], *privileged: dict[str, np.ndarray]) -> int:
        """The next move: 0 forward, 1 left, 2 right, 3 stay."""
        raise NotImplementedError

    def act(
        self, observation: dict[str, Any], *privileged: dict[str, np.ndarray]
    ) -> int | dict[str, Any]:
        """The move as an action; with estimates observation["mixture"] (2, F, T) is needed."""
        move = self.move(observation, *privileged)
        if not self._estimates:
            return move
        return {"move": np.int64(move), "estimate": louder_ear(observation["mixture"])}


def louder_ear(mixture: np.ndarray) -> np.ndarray:
    """(F, T) float32 magnitude of the ear with more energy; of equals the left one.

    mixture  (2, F, T) log1p of the magnitude
    """
    magnitude = np.expm1(mixture)
    energy = np.square(magnitude, dtype=np.float64).sum(axis=(1, 2))
    return magnitude[int(energy.argmax())].astype(np.float32)
