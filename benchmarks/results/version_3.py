"""Files of the schema av-bench/result/3 in the form of today.

Their episodes hold a `walk` in place of the `replay`: the poses of one agent, or start and moves
of the robots of a team. Both were taken from poses, so a step forward that led nowhere reads as
staying.
"""

from itertools import pairwise
from typing import Any

from av_envs.conventions import N_HEADINGS

VERSION_3 = "av-bench/result/3"


def upgraded(result: dict[str, Any]) -> dict[str, Any]:
    """The result with a `replay` in every episode; ValueError for a malformed `walk`."""
    episodes = []
    for place, record in enumerate(result["episodes"]):
        record = dict(record)
        try:
            walk, spec = record.pop("walk"), result["env"]["specs"].get(record["group"], {})
            grid = spec.get("kwargs", {}).get("grid", 1.0)
            record["replay"] = None if walk is None else _replay_of(walk, grid)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise ValueError(f"episodes[{place}].walk is not one of {VERSION_3}") from error
        episodes.append(record)
    return {**result, "episodes": episodes}


def _replay_of(walk: dict[str, Any], grid: float) -> dict[str, Any]:
    if "robots" in walk:
        return {
            "task": "rir_measure",
            "stride": walk["stride"],
            "walkers": walk["robots"],
            "sources": walk["sources"],
            "receivers": walk["receivers"],
            "target": None,
        }
    moves = "".join(_move(before, after) for before, after in pairwise(walk["poses"]))
    return {
        "task": "separation",
        "stride": grid,
        "walkers": [{"start": walk["poses"][0], "moves": moves}],
        "sources": walk["sources"],
        "receivers": [],
        "target": walk["target"],
    }


def _move(before: list[float], after: list[float]) -> str:
    """The move that leads from one pose [x, y, heading] to the next."""
    turned = (after[2] - before[2]) % N_HEADINGS
    if turned == 0:
        return "S" if before[:2] == after[:2] else "F"
    return {1: "L", N_HEADINGS - 1: "R"}[turned]
