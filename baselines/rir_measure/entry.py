"""What every team needs to enter: a name for the board, and rooms it can play in."""

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from av_envs.rir_measure.actions import Action

PREDICTOR = "interpolating"  # of the responses, unless a team names another


def team_card(name: str, predictor: str, usual: str = PREDICTOR) -> dict[str, str]:
    """The card of a team: its motion, and its predictor where that is not the usual one."""
    if not isinstance(predictor, str):
        raise TypeError(
            f"predictor must be a name or 'module:Factory', got {type(predictor).__name__}"
        )
    return {"name": name if predictor == usual else f"{name} + {predictor} predictor"}


def count_robots(
    observation_space: spaces.Space, action_space: spaces.Space, needed: Sequence[str]
) -> int:
    """How many robots the joint view has; refuses a room without the observations needed."""
    moves = getattr(action_space, "nvec", None)
    if not isinstance(action_space, spaces.MultiDiscrete) or (
        moves.ndim != 1 or (moves != len(Action)).any()
    ):
        raise ValueError(
            f"a team needs MultiDiscrete([4] * robots) (0 stop, 1 forward, 2 left, 3 right), "
            f"the joint view of the room, got {action_space}"
        )
    offered = getattr(observation_space, "spaces", {})
    missing = sorted(set(needed) - set(offered))
    if missing:
        raise ValueError(f"the team needs the observations {missing}; there are {sorted(offered)}")
    return len(moves)


def may_stop(observation: dict[str, np.ndarray], n_robots: int) -> np.ndarray:
    """(robots,) bool, from the action mask; all False without a mask."""
    if "action_mask" not in observation:
        return np.zeros(n_robots, bool)
    return np.asarray(observation["action_mask"])[:, 0] == 1
