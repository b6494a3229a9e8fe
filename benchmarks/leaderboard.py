"""Result files in, ranked rows out. Pure: no file is read or written here."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.command_line import UserError
from benchmarks.results import canonical
from benchmarks.statistics import episode_interval, interquartile_mean, run_interval
from benchmarks.suites import SUITES, Suite

ENOUGH_RUNS = 3  # fewer runs say nothing about how runs differ


@dataclass(frozen=True)
class Row:
    """One agent on one suite.

    score     interquartile mean of the primary metric over runs and scenes; None if undefined
    interval  95 % interval of the score; None where there is too little to resample
    basis     what the interval resamples: "runs" or "episodes"
    metrics   mean of every metric over all episodes of all runs
    reason    why the row is not ranked; "" for a ranked one
    """

    suite: str
    agent: str
    path: str
    kwargs: dict[str, Any]
    rank: int | None
    score: float | None
    interval: tuple[float, float] | None
    basis: str
    runs: int
    episodes: int
    privileged: tuple[str, ...]
    metrics: dict[str, float | None]
    hardware: str
    act_ms: float
    authors: str | None
    url: str | None
    commands: tuple[str, ...]
    reason: str


def build_rows(results: list[dict[str, Any]]) -> list[Row]:
    """Ranked rows of every suite, best first, each suite followed by its unranked ones."""
    groups: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        reason = why_unranked(result)
        identity = canonical([result["agent"][key] for key in ("path", "kwargs", "hash")])
        short = len(result["episodes"]) if reason else 0
        group = groups[result["suite"]["name"], identity, reason, short]
        if any(other["seed"] == result["seed"] for other in group):
            name = result["agent"]["name"]
            raise UserError(f"two result files hold seed {result['seed']} of {name}; keep one")
        group.append(result)
    rows = [_row(group, reason) for (_, _, reason, _), group in groups.items()]
    return [row for suite in sorted({r.suite for r in rows}) for row in _ranked(rows, suite)]


def why_unranked(result: dict[str, Any]) -> str:
    """Empty for a result that counts; otherwise the reason in words."""
    suite = SUITES.get(result["suite"]["name"])
    if suite is None:
        return "unknown suite"
    if suite.hash != result["suite"]["hash"]:
        return "another definition of this suite"
    failed = sum(e["error"] is not None for e in result["episodes"])
    if failed:
        return f"the agent failed in {failed} of {len(result['episodes'])} episodes"
    if not result["complete"]:
        return f"{len(result['episodes'])} of {len(suite.seeds)} episodes"
    return ""


def _ranked(rows: list[Row], suite: str) -> list[Row]:
    """The rows of one suite in order; equal scores share a rank."""
    mine = [row for row in rows if row.suite == suite]
    ranked = [row for row in mine if not row.reason and row.score is not None]
    sign = -1 if suite not in SUITES or SUITES[suite].primary_metric.higher_is_better else 1
    ranked.sort(key=lambda row: (sign * row.score, row.agent))
    numbered = [
        replace(row, rank=1 + sum(sign * other.score < sign * row.score for other in ranked))
        for row in ranked
    ]
    rest = sorted((row for row in mine if row not in ranked), key=lambda row: row.agent)
    return numbered + rest


def _row(group: list[dict[str, Any]], reason: str) -> Row:
    """Runs of one agent with one set of arguments on one suite."""
    group = sorted(group, key=lambda result: result["seed"])
    first, agent = group[0], group[0]["agent"]
    suite = SUITES.get(first["suite"]["name"])
    score, interval, basis = _score(group, suite) if suite else (None, None, "")
    episodes = [e for result in group for e in result["episodes"]]
    return Row(
        suite=first["suite"]["name"],
        agent=agent["name"],
        path=agent["path"],
        kwargs=agent["kwargs"],
        rank=None,
        score=score,
        interval=interval,
        basis=basis,
        runs=len(group),
        episodes=len(episodes),
        privileged=tuple(agent["privileged"]),
        metrics={name: _mean(episodes, name) for name in episodes[0]["metrics"]},
        hardware=", ".join(sorted({_machine(result["hardware"]) for result in group})),
        act_ms=float(np.median([result["timing"]["act_ms_p50"] for result in group])),
        authors=agent["authors"],
        url=agent["url"],
        commands=tuple(dict.fromkeys(result["command"] for result in group)),
        reason=reason or ("the score is undefined" if score is None else ""),
    )


def _score(
    group: list[dict[str, Any]], suite: Suite
) -> tuple[float | None, tuple[float, float] | None, str]:
    """Score, interval and what the interval resamples."""
    runs = [_by_scene(result, suite.primary) for result in group]
    scenes = sorted(set.intersection(*(set(run) for run in runs)))
    if not scenes:
        return None, None, ""
    table = np.array([[run[scene].mean() for scene in scenes] for run in runs])
    score = float(interquartile_mean(table.ravel()))
    if len(group) >= ENOUGH_RUNS:
        return score, run_interval(table), "runs"
    pooled = [np.concatenate([run[scene] for run in runs]) for scene in scenes]
    if min(len(scores) for scores in pooled) < 2:
        return score, None, ""
    return score, episode_interval(pooled), "episodes"


def _by_scene(result: dict[str, Any], metric: str) -> dict[str, np.ndarray]:
    scenes: dict[str, list[float]] = defaultdict(list)
    for episode in result["episodes"]:
        if episode["metrics"].get(metric) is not None:
            scenes[episode["scene"]].append(episode["metrics"][metric])
    return {scene: np.array(values) for scene, values in scenes.items()}


def _mean(episodes: list[dict[str, Any]], name: str) -> float | None:
    values = [e["metrics"][name] for e in episodes if e["metrics"].get(name) is not None]
    return sum(values) / len(values) if values else None


def _machine(hardware: dict[str, Any]) -> str:
    gpu = f" + {hardware['gpu']}" if hardware["gpu"] else ""
    return f"{hardware['count']} x {hardware['cpu']}{gpu}"
