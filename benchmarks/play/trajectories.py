"""What results keep of the way through an episode, and how it is played again.

An environment logs itself: `replay_log()`, see `av_envs.replay`.
"""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Task(NamedTuple):
    """How the benchmarks handle the environments of a task.

    moves        initials of its actions by number, as in its logs
    replay       options of the environment with which an episode is only walked and heard again
    compression  of the sound of an episode: 0 to 1, the smallest file
    """

    moves: str
    replay: dict[str, Any]
    compression: float


TASKS = {
    "separation": Task("FLRS", {}, 0.97),  # about 27 kbit/s for two ears
    "rir_measure": Task(
        "SFLR",
        # nothing is observed, predicted or scored
        {"observations": ("position",), "prediction": "none", "queries": 0, "room_errors": False},
        0.99,  # about 18 kbit/s: the claps of an episode take longer than most episodes
    ),
}


def replay_actions(log: dict[str, Any], env: gym.Env) -> list[Any]:
    """The actions of a log for an environment; parts other than moves are zeros."""
    numbers = TASKS[log["task"]].moves
    steps = zip(*(walker["moves"].upper() for walker in log["walkers"]), strict=True)
    return [_action(env.action_space, [numbers.index(move) for move in step]) for step in steps]


def _action(space: spaces.Space, moves: list[int]) -> Any:
    if isinstance(space, spaces.Dict):
        return {
            key: _action(part, moves) if key == "move" else np.zeros(part.shape, part.dtype)
            for key, part in space.items()
        }
    return np.array(moves) if isinstance(space, spaces.MultiDiscrete) else moves[0]


def without_bumps(log: dict[str, Any]) -> dict[str, Any]:
    """The log with steps forward that led nowhere as staying: the same path."""
    walkers = [{**walker, "moves": walker["moves"].replace("f", "S")} for walker in log["walkers"]]
    return {**log, "walkers": walkers}
