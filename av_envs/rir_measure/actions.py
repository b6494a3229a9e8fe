"""Actions of a robot: moves, and predicted responses that come with them; their checks."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import N_HEADINGS

LOUDEST = 100.0  # sample of a predicted response: the direct sound is 1 at 1 m


class Action(IntEnum):
    """In the order of SoundSpaces."""

    STOP = 0
    FORWARD = 1
    LEFT = 2
    RIGHT = 3


def action_space(n_predicted: int | None) -> spaces.Space:
    """A move; with a number of responses, a Dict of the move and these responses."""
    move = spaces.Discrete(len(Action))
    if n_predicted is None:
        return move
    return spaces.Dict({"move": move, "rir": rir_space(n_predicted)})


def rir_space(count: int) -> spaces.Box:
    """Predicted responses."""
    return spaces.Box(-LOUDEST, LOUDEST, (count, 2, RIR_SAMPLES), np.float32)


def checked_actions(
    actions: Mapping[str, Any], robots: Sequence[str], with_prediction: bool
) -> tuple[list[Action], list[np.ndarray | None]]:
    """The move of every robot in order and, where robots predict, their responses."""
    if not isinstance(actions, Mapping):
        raise ValueError(f"actions must be a dict of {', '.join(robots)}, got {actions!r}")
    unknown = [name for name in actions if name not in robots]
    missing = [name for name in robots if name not in actions]
    if unknown:
        raise ValueError(f"actions: there is no robot {unknown[0]!r}, only {', '.join(robots)}")
    if missing:
        raise ValueError(f"actions: none for {', '.join(missing)}")
    moves, predicted = [], []
    for name in robots:
        action = actions[name]
        if with_prediction:
            if not isinstance(action, Mapping) or set(action) != {"move", "rir"}:
                raise ValueError(f"the action of {name} must be a dict of 'move' and 'rir'")
            predicted.append(action["rir"])
            action = action["move"]
        moves.append(_checked_move(name, action))
    return moves, predicted


def _checked_move(name: str, action: Any) -> Action:
    scalar = np.asarray(action)
    if scalar.shape != () or not np.issubdtype(scalar.dtype, np.integer):
        raise ValueError(f"the move of {name} must be a whole number in 0..3, got {action!r}")
    if not 0 <= scalar < len(Action):
        raise ValueError(
            f"the move of {name} must be 0 stop, 1 forward, 2 left or 3 right, got {int(scalar)}"
        )
    return Action(int(scalar))


def check_moves(moves: np.ndarray, whose: str) -> None:
    """Raise a ValueError unless moves, an array or a scalar of numpy, are all possible."""
    moves = np.asarray(moves)
    if moves.dtype.kind not in "iu":
        raise ValueError(f"the move of {whose} must be a whole number in 0..3, got {moves.dtype}")
    wrong = moves[(moves < 0) | (moves >= len(Action))]
    if wrong.size:
        raise ValueError(
            f"the move of {whose} must be 0 stop, 1 forward, 2 left or 3 right, got {wrong[0]}"
        )


def pose_after(
    pose: tuple[int, int], move: Action, neighbours: np.ndarray
) -> tuple[tuple[int, int], bool]:
    """(node, heading) after a move, and whether something was in the way.

    neighbours  (N, 4) int, node one step away by heading, -1 where there is none
    """
    node, heading = pose
    if move is Action.FORWARD:
        ahead = int(neighbours[node, heading])
        return (pose, True) if ahead < 0 else ((ahead, heading), False)
    turn = {Action.LEFT: 1, Action.RIGHT: -1}.get(move, 0)
    return (node, (heading + turn) % N_HEADINGS), False


def checked_prediction(rirs: Any, count: int, whose: str) -> np.ndarray:
    """(count, 2, 16000) float32, a copy; anything but floats of that shape in +-100 is an error."""
    array = np.asarray(rirs)
    wanted = (count, 2, RIR_SAMPLES)
    if array.shape != wanted:
        raise ValueError(f"{whose}: responses must have shape {wanted}, got {array.shape}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{whose}: responses must be floats, got {array.dtype}")
    # nan fails every comparison; a robot that does not listen predicts no response
    if not (array.max(initial=0) <= LOUDEST and array.min(initial=0) >= -LOUDEST):
        wrong = int(array.size - np.isfinite(array).sum())
        if wrong:
            raise ValueError(f"{whose}: {wrong} of {array.size} samples are nan or infinite")
        loudest = np.abs(array).max()
        raise ValueError(f"{whose}: samples must lie within {LOUDEST:g}, got {loudest}")
    return np.array(array, np.float32)
