"""What a result file looks like inside: names and types, nothing about sense."""

from typing import Any

from av_envs.benchmarks.play.trajectories import MOVES, is_of_team

NUMBER = (int, float)
OPTIONAL_TEXT = (str, type(None))
SHAPE: dict[str, Any] = {
    "schema": str,
    "complete": bool,
    "suite": {
        "name": str,
        "version": int,
        "split": str,
        "hash": str,
        "secret_seeds": OPTIONAL_TEXT,
    },
    "env": {
        "id": str,
        "specs": dict,
        "hash": str,
        "package_version": str,
        "engine_version": int,
        "asset_hash": str,
        "backend": str,
    },
    "agent": {
        "path": str,
        "kwargs": dict,
        "hash": OPTIONAL_TEXT,
        "name": str,
        "authors": object,
        "url": OPTIONAL_TEXT,
        "checkpoint_sha256": OPTIONAL_TEXT,
        "train": object,
        "privileged": list,
    },
    "isolated": bool,
    "seed": int,
    "episodes": list,
    "summary": dict,
    "timing": {"play_s": NUMBER, "env_steps": int, "act_ms_p50": NUMBER, "workers": int},
    "hardware": {"cpu": str, "count": int, "gpu": OPTIONAL_TEXT, "ram_gb": object, "features": str},
    "packages": dict,
    "git": {"commit": OPTIONAL_TEXT, "dirty": object},
    "command": str,
    "created": str,
    "result_hash": str,
    "file_hash": str,
}
EPISODE: dict[str, Any] = {
    "group": str,
    "episode": int,
    "scene": str,
    "length": int,
    "metrics": dict,
    "series": list,
    "walk": (dict, type(None)),
    "error": OPTIONAL_TEXT,
}
WALK: dict[str, Any] = {"poses": list, "sources": list, "target": str}
TEAM_WALK: dict[str, Any] = {"stride": NUMBER, "robots": list, "sources": list, "receivers": list}
ROBOT: dict[str, Any] = {"start": list, "moves": str}


def first_fault(result: Any) -> str | None:
    """None for a file of the right shape, otherwise the first thing that is not as it must be."""
    fault = _fault("", result, SHAPE)
    if fault:
        return fault
    for place, episode in enumerate(result["episodes"]):
        where = f"episodes[{place}]"
        fault = _fault(where, episode, EPISODE) or _fault_inside(where, episode)
        if fault:
            return fault
    return None


def _fault_inside(where: str, episode: dict[str, Any]) -> str | None:
    """Numbers of an episode."""
    values = {f"{where}.metrics.{name}": value for name, value in episode["metrics"].items()}
    values |= {f"{where}.series[{k}]": value for k, value in enumerate(episode["series"])}
    for name, value in values.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, NUMBER)):
            return f"{name} must be a number or null"
    if episode["walk"] is None:
        return None
    find = _fault_in_team_walk if is_of_team(episode["walk"]) else _fault_in_walk
    return find(f"{where}.walk", episode["walk"])


def _fault_in_walk(where: str, walk: dict[str, Any]) -> str | None:
    """Of one agent, see `av_envs.benchmarks.play.trajectories`."""
    fault = _fault(where, walk, WALK)
    if fault:
        return fault
    for name, length in (("poses", 3), ("sources", 2)):
        if not walk[name] or not all(_is_row(row, length) for row in walk[name]):
            return f"{where}.{name} must be lists of {length} numbers"
    return None


def _fault_in_team_walk(where: str, walk: dict[str, Any]) -> str | None:
    """Of several robots, see `av_envs.benchmarks.play.trajectories`."""
    fault = _fault(where, walk, TEAM_WALK)
    if fault:
        return fault
    for name, length in (("sources", 2), ("receivers", 3)):
        if not all(_is_row(row, length) for row in walk[name]):
            return f"{where}.{name} must be lists of {length} numbers"
    for place, robot in enumerate(walk["robots"]):
        its = f"{where}.robots[{place}]"
        fault = _fault(its, robot, ROBOT)
        if fault:
            return fault
        if not _is_row(robot["start"], 3) or set(robot["moves"]) - set(MOVES):
            return f"{its} must start at 3 numbers and move by letters of {MOVES}"
    if len({len(robot["moves"]) for robot in walk["robots"]}) != 1:
        return f"{where}.robots must be robots with the same number of moves"
    return None


def _is_row(row: Any, length: int) -> bool:
    return (
        isinstance(row, list)
        and len(row) == length
        and all(isinstance(value, NUMBER) for value in row)
    )


def _fault(where: str, value: Any, shape: Any) -> str | None:
    """`shape` is a type, several types, or a dict of names and shapes."""
    if not isinstance(shape, dict):
        return None if isinstance(value, shape) else f"{where} has the wrong type"
    if not isinstance(value, dict):
        return f"{where or 'the file'} must be an object"
    if set(value) != set(shape):
        missing, unknown = sorted(set(shape) - set(value)), sorted(set(value) - set(shape))
        words = [f"lacks {', '.join(missing)}"] if missing else []
        words += [f"has the unknown {', '.join(unknown)}"] if unknown else []
        return f"{where or 'the file'} {' and '.join(words)}"
    for key, part in shape.items():
        fault = _fault(f"{where}.{key}" if where else key, value[key], part)
        if fault:
            return fault
    return None
