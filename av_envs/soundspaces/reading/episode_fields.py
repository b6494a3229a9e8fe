"""The fields of episodes that may be absent: what they can be where they are there."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from av_envs.soundspaces.reading.graph import NodeGraph

N_ACTIONS = 4  # of the code of the papers: stop or forward, forward, left, right


def amount(record: Mapping[str, Any], field: str, positive: bool = False) -> float | int | None:
    """A finite number that is not negative, as it stands; None if it is absent."""
    value = record.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"has {field} {_short(value)}, which is no number")
    if not math.isfinite(value) or value < 0 or (positive and value == 0):
        least = "greater than 0" if positive else "0 or more"
        raise ValueError(f"has {field} {_short(value)}; it must be {least}")
    return value


def whole(record: Mapping[str, Any], field: str) -> int | None:
    """A whole number that is not negative; None if it is absent."""
    value = amount(record, field)
    if value is None:
        return None
    if value != int(value):
        raise ValueError(f"has {field} {_short(value)}; it must be a whole number")
    return int(value)


def action_of(value: Any) -> int:
    """An action of the shortest way."""
    if isinstance(value, bool) or value not in range(N_ACTIONS):
        raise ValueError(f"has the action {_short(value)}; it must be one of 0..{N_ACTIONS - 1}")
    return int(value)


def name_of(record: Mapping[str, Any], field: str) -> str | None:
    """A text; None if it is absent."""
    value = record.get(field)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"has {field} {_short(value)}, which is no text")
    return value


def node_of(record: Mapping[str, Any], field: str, graph: NodeGraph) -> int | None:
    """A node of the scene; None if it is absent."""
    node = whole(record, field)
    if node is not None:
        graph.row(node)  # which raises if there is none
    return node


def the_list(record: Mapping[str, Any], field: str) -> Sequence[Any]:
    """A list, which must be there."""
    value = record[field]
    if not isinstance(value, list):
        raise ValueError(f"has {field} {_short(value)}, which is no list")
    return value


def _short(value: Any) -> str:
    return f"{value!r:.60}"
