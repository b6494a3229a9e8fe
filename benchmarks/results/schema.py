"""Names and types of what a result file holds."""

from typing import Any

from av_envs.benchmarks.play.trajectories import TASKS

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
    "replay": (dict, type(None)),
    "error": OPTIONAL_TEXT,
}
REPLAY: dict[str, Any] = {  # see `av_envs.replay`
    "task": str,
    "stride": NUMBER,
    "walkers": list,
    "sources": list,
    "receivers": list,
    "target": OPTIONAL_TEXT,
}
WALKER: dict[str, Any] = {"start": list, "moves": str}
LETTERS = "FfLRS"  # of moves


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
    if episode["replay"] is None:
        return None
    return _fault_in_replay(f"{where}.replay", episode["replay"])


def _fault_in_replay(where: str, replay: dict[str, Any]) -> str | None:
    fault = _fault(where, replay, REPLAY)
    if fault:
        return fault
    if replay["task"] not in TASKS:
        return f"{where}.task must be one of {', '.join(TASKS)}"
    for name, length in (("sources", 2), ("receivers", 3)):
        if not all(_is_row(row, length) for row in replay[name]):
            return f"{where}.{name} must be lists of {length} numbers"
    for place, walker in enumerate(replay["walkers"]):
        its = f"{where}.walkers[{place}]"
        fault = _fault(its, walker, WALKER)
        if fault:
            return fault
        if not _is_row(walker["start"], 3) or set(walker["moves"]) - set(LETTERS):
            return f"{its} must start at 3 numbers and move by letters of {LETTERS}"
    if len({len(walker["moves"]) for walker in replay["walkers"]}) != 1:
        return f"{where}.walkers must be agents with the same number of moves"
    if replay["target"] is not None and not replay["sources"]:
        return f"{where}.sources must hold that of the target"
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
