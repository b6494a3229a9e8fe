"""What the agent can do in a second."""

from collections.abc import Mapping, Set
from enum import IntEnum
from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.acoustics.spectrogram import N_FREQUENCIES
from av_envs.conventions import N_HEADINGS
from av_envs.separation.estimators import N_FRAMES, checked_estimate


class Action(IntEnum):
    FORWARD = 0
    LEFT = 1
    RIGHT = 2
    STAY = 3


TURNS = {Action.LEFT: 1, Action.RIGHT: -1, Action.STAY: 0}  # quarter turns counter-clockwise


def pose_after(
    action: Action, node: int, heading: int, neighbours: np.ndarray, blocked_nodes: Set[int]
) -> tuple[int, int, bool]:
    """Node and heading after an action, and whether something was in the way.

    neighbours     (N, 4) node next to each node in each heading, or -1
    blocked_nodes  that cannot be entered
    """
    if action is not Action.FORWARD:
        return node, (heading + TURNS[action]) % N_HEADINGS, False
    ahead = int(neighbours[node, heading])
    free = ahead >= 0 and ahead not in blocked_nodes
    return (ahead if free else node), heading, not free


def action_space(estimator: str) -> spaces.Space:
    """A move, and with the estimator "agent" an estimate of the second heard last."""
    moves = spaces.Discrete(len(Action))
    if estimator != "agent":
        return moves
    return spaces.Dict(
        move=moves, estimate=spaces.Box(0, np.inf, (N_FREQUENCIES, N_FRAMES), np.float32)
    )


def checked_action(action: Any, estimator: str) -> tuple[Action, np.ndarray | None]:
    """The move, and the estimate (512, 32) float32 if one is part of the action."""
    if estimator != "agent":
        return _checked_move(action), None
    if not isinstance(action, Mapping) or set(action) != {"move", "estimate"}:
        got = sorted(map(str, action)) if isinstance(action, Mapping) else repr(action)
        raise ValueError(f"action must be a dict with the keys move and estimate; got {got}")
    return _checked_move(action["move"]), checked_estimate(action["estimate"], "the estimate")


def _checked_move(move: Any) -> Action:
    number = np.asarray(move)
    if number.shape != () or number.dtype.kind not in "iu" or not 0 <= number < len(Action):
        choices = ", ".join(f"{known.value} {known.name.lower()}" for known in Action)
        raise ValueError(f"action must be one of {choices}; got {move!r}")
    return Action(int(number))
