"""Validation of actions, with errors short enough for a result file."""

from collections.abc import Callable
from traceback import format_exception
from typing import Any

import numpy as np
from gymnasium import spaces

LONGEST_VALUE = 60  # characters of an answer that are quoted


class AgentError(Exception):
    """An exception in an agent or in its predictor, or an invalid action.

    traceback  of the exception; empty for an invalid action
    """

    def __init__(self, message: str, traceback: str = ""):
        super().__init__(message)
        self.traceback = traceback


def call_agent(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the function of an agent returns; its exceptions become `AgentError`s."""
    try:
        return function(*args, **kwargs)
    except (Exception, SystemExit) as error:
        words = "".join(format_exception(error))
        raise AgentError(f"{type(error).__name__}: {error}", words) from error


def action_fault(space: spaces.Space, answer: Any) -> str | None:
    """None for a valid action of the space, otherwise what is wrong with it.

    Stricter than `space.contains`: numbers must be finite, arrays must be arrays.
    """
    if isinstance(space, spaces.Dict):
        return _dict_fault(space, answer)
    if isinstance(space, spaces.Box):
        return _box_fault(space, answer)
    return None if space.contains(answer) else f"{_quoted(answer)} is not in {space}"


def _dict_fault(space: spaces.Dict, answer: Any) -> str | None:
    wanted = ", ".join(sorted(space))
    if not isinstance(answer, dict):
        return f"a dict with {wanted} is needed, got {_quoted(answer)}"
    if set(answer) != set(space):
        return f"the keys must be {wanted}, got {', '.join(sorted(map(str, answer))) or 'none'}"
    for key, part in space.items():
        reason = action_fault(part, answer[key])
        if reason:
            return f"{key}: {reason}"
    return None


def _box_fault(space: spaces.Box, answer: Any) -> str | None:
    wanted = f"an array {space.shape} {space.dtype} is needed"
    if not isinstance(answer, np.ndarray):
        return f"{wanted}, got {_quoted(answer)}"
    if answer.shape != space.shape or not np.can_cast(answer.dtype, space.dtype):
        return f"{wanted}, got {answer.shape} {answer.dtype}"
    wrong = int(answer.size - np.isfinite(answer).sum())
    if wrong:
        return f"{wrong} of {answer.size} numbers are nan or infinite"
    if not space.contains(answer):
        return f"numbers from {answer.min():g} to {answer.max():g} leave the bounds of {space}"
    return None


def _quoted(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
