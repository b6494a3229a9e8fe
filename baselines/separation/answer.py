"""What a baseline hands back: its move and, where the task asks for one, an estimate."""

from typing import Any

import numpy as np
from gymnasium import spaces

MOVES = spaces.Discrete(4)


class Answer:
    """Makes of a move what the action space wants.

    With `Discrete(4)` that is the move. With `Dict(move, estimate)`, the space of
    `estimator="agent"`, it adds the estimate of somebody who cannot separate: the last
    second at the louder ear, as it is. So a baseline's score tells what its walk is worth.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space):
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

    def __call__(self, move: int, observation: dict[str, Any]) -> int | dict[str, Any]:
        """observation["mixture"]  (2, F, T) log1p of the magnitude; needed for an estimate only."""
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
