"""Base of the heuristics for the separation task: action spaces, seeds and estimates."""

from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.separation.estimators import PlugIn, Question

MOVES = spaces.Discrete(4)
LOUDER_EAR = "louder_ear"


class Heuristic:
    """An agent that chooses moves and leaves separating to a plug-in.

    A subclass defines `move(observation)`, with `privileged` as a second argument where it
    declares that, and `forget` where it keeps something during an episode.

    With the action space `Discrete(4)` an action is the move. With `Dict(move, estimate)`, the
    space of `estimator="agent"`, the estimate is that of `separator`, so that all heuristics
    can be given the same and the score tells what their moves are worth:

    LOUDER_EAR        the last second at the louder ear as it is
    "module:Factory"  an estimator of `av_envs.separation.estimators`
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        separator: str | None = None,
    ):
        self._estimates = isinstance(action_space, spaces.Dict)
        moves = action_space.spaces.get("move") if self._estimates else action_space
        if moves != MOVES:
            raise ValueError(
                f"a separation baseline needs {MOVES} (0 forward, 1 left, 2 right, 3 stay) "
                f"or a Dict with it as 'move', got {action_space}"
            )
        if self._estimates and set(action_space.spaces) != {"move", "estimate"}:
            raise ValueError(f"can answer with 'move' and 'estimate' only, got {action_space}")
        self._separator = None
        if self._estimates:
            self._separator = _opened(separator, observation_space)
        elif separator is not None:
            raise ValueError(f"separator={separator!r} is of no use: no estimate is asked for")
        self._rng = np.random.default_rng(seed)
        self.reset()

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode; without a seed the sequence of draws goes on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._memory = None if self._separator is None else self._separator.new_memories()[0]
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
        return {"move": np.int64(move), "estimate": self._estimate(observation)}

    def _estimate(self, observation: dict[str, Any]) -> np.ndarray:
        """(F, T) float32 magnitude of the target in the second heard last."""
        if self._separator is None:
            return louder_ear(observation["mixture"])
        mixture, label = np.expm1(observation["mixture"]), int(observation["target"])
        (answer,) = self._separator.ask([Question(mixture, label, self._memory)])
        self._memory = answer.memory
        return answer.estimate


def _opened(separator: str | None, observation_space: spaces.Space) -> PlugIn | None:
    """The plug-in that makes the estimates; None for the louder ear."""
    if separator is None:
        raise ValueError(
            "the actions of this environment have an estimate, which a separation baseline leaves "
            f"to a separator; pass separator='module:Factory', an estimator, or {LOUDER_EAR!r}: "
            f'--agent-kwargs \'{{"separator": "{LOUDER_EAR}"}}\''
        )
    needed = ("mixture",) if separator == LOUDER_EAR else ("mixture", "target")
    for key in needed:
        if key not in observation_space.spaces:
            raise ValueError(f"an estimate needs the observation {key!r}; the space has none")
    return None if separator == LOUDER_EAR else PlugIn(separator, n_heard=1)


def louder_ear(mixture: np.ndarray) -> np.ndarray:
    """(F, T) float32 magnitude of the ear with more energy; of equals the left one.

    mixture  (2, F, T) log1p of the magnitude
    """
    magnitude = np.expm1(mixture)
    energy = np.square(magnitude, dtype=np.float64).sum(axis=(1, 2))
    return magnitude[int(energy.argmax())].astype(np.float32)
