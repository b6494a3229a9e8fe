"""Consistency of a result with its suite and with itself: all checks that need no playing."""

import hashlib
from typing import Any

from av_envs.benchmarks.results.files import canonical, rounded, summarise
from av_envs.benchmarks.suites.suite import Suite


class RefutedError(Exception):
    """A claim of the file is false."""


def is_complete(suite: Suite, episodes: list[dict[str, Any]]) -> bool:
    """Every episode of the suite was played and the agent failed in none."""
    played = [(e["group"], e["episode"]) for e in episodes]
    wanted = [(episode.group.name, episode.seed) for episode in suite.episodes]
    return played == wanted and all(e["error"] is None for e in episodes)


def check_consistency(result: dict[str, Any], suite: Suite) -> None:
    """Raises `RefutedError` for what cannot be a result of the suite."""
    _check_blocks(result, suite)
    wanted = {(episode.group.name, episode.seed) for episode in suite.episodes}
    seen = set()
    for record in result["episodes"]:
        place = record["group"], record["episode"]
        if place not in wanted:
            raise RefutedError(f"{suite.name} has no {title(record)}")
        if place in seen:
            raise RefutedError(f"{title(record)} is there twice")
        seen.add(place)
        _check_record(record, suite)
    if not seen:
        raise RefutedError("there are no episodes")
    if rounded(summarise(result["episodes"])) != result["summary"]:
        raise RefutedError("the summary is not the mean of the episodes")
    if result["complete"] != is_complete(suite, result["episodes"]):
        raise RefutedError(f"'complete' says {result['complete']}, the episodes say otherwise")
    steps = sum(record["length"] for record in result["episodes"])
    if result["timing"]["env_steps"] != steps:
        raise RefutedError(f"timing counts {result['timing']['env_steps']} steps, episodes {steps}")


def _check_blocks(result: dict[str, Any], suite: Suite) -> None:
    claimed = result["suite"]
    if (claimed["version"], claimed["split"]) != (suite.version, suite.split):
        raise RefutedError(f"{suite.name} is version {suite.version} of split {suite.split}")
    env = result["env"]
    if env["id"] != suite.env_id or set(env["specs"]) != {group.name for group in suite.groups}:
        raise RefutedError(f"{suite.name} is played in another environment")
    if env["hash"] != hash_of(env["specs"]):
        raise RefutedError("env.hash is not that of its specs")


def _check_record(record: dict[str, Any], suite: Suite) -> None:
    if set(record["metrics"]) != set(suite.metric_names):
        raise RefutedError(f"{title(record)} reports other metrics than {suite.name}")
    if len(record["series"]) != record["length"]:
        raise RefutedError(f"{title(record)} has {record['length']} steps, its series another size")
    if record["error"] is not None and set(record["metrics"].values()) != {None}:
        raise RefutedError(f"{title(record)} failed and has scores all the same")


def hash_of(value: Any) -> str:
    """sha256 of a JSON value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def title(record: dict[str, Any]) -> str:
    """The name of an episode."""
    return f"episode {record['episode']} ({record['group']})"
