"""Result files in, ranked rows out. Pure: no file is read or written here."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.benchmarks.board.derived import derived
from av_envs.benchmarks.board.normalisation import SCALES
from av_envs.benchmarks.board.statistics import Score, board_score, by_task
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.source_code import is_here, source_hash
from av_envs.benchmarks.results.consistency import is_complete
from av_envs.benchmarks.results.files import canonical
from av_envs.benchmarks.results.provenance import asset_hash
from av_envs.benchmarks.suites.suite import SUITES, Suite

OTHER_CODE = "other code of the agent"
# What two runs of one agent have in common; checkpoints of one training procedure may differ.
IDENTITY = ("path", "kwargs", "hash", "privileged")


@dataclass(frozen=True)
class Row:
    """One agent on one suite.

    source    hash of the agent's source files
    score     interquartile mean of the primary metric over runs and tasks, a task being a scene
              in a group of episodes; None if undefined
    interval  95 % interval of the score; None where there is too little to resample
    basis     what the interval resamples: "runs" or "episodes"
    normalised  the score on the suite's scale; None where no scale is frozen
    metrics   mean of every metric over all episodes of all runs, and what derives from these
    groups    score and interval of every group of episodes, where the suite has several
    houses    mean of the primary metric by scene
    hashes    `result_hash` of every run
    reason    why the row is not ranked; "" for a ranked one
    shipped   whether the runs came with the package
    made_with  version and commit, of a shipped row whose agent has other code today
    """

    suite: str
    agent: str
    path: str
    kwargs: dict[str, Any]
    source: str | None
    rank: int | None
    score: float | None
    interval: tuple[float, float] | None
    basis: str
    normalised: float | None
    runs: int
    episodes: int
    privileged: tuple[str, ...]
    metrics: dict[str, float | None]
    groups: dict[str, Score]
    houses: dict[str, float | None]
    hardware: str
    act_ms: float
    authors: str | None
    url: str | None
    commands: tuple[str, ...]
    hashes: tuple[str, ...]
    reason: str
    shipped: bool = False
    made_with: str = ""


def build_rows(results: list[dict[str, Any]], shipped: Sequence[dict[str, Any]] = ()) -> list[Row]:
    """Ranked rows of every suite, best first, each suite followed by its unranked ones.

    shipped  results that came with the package. They were sealed when it was released, so one
             made with other code of its agent than is here is ranked all the same, and marked
    """
    _refuse_mixed_seeds([*results, *shipped])
    rows = _rows(results) + [_as_shipped(row, shipped) for row in _rows(shipped, OTHER_CODE)]
    return [row for suite in sorted({r.suite for r in rows}) for row in _ranked(rows, suite)]


def _rows(results: Sequence[dict[str, Any]], excused: str = "") -> list[Row]:
    """A row for every agent and suite; the excused reason bars none from being ranked."""
    groups: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        reason = why_unranked(result)
        reason = "" if reason == excused else reason
        identity = canonical([result["agent"][key] for key in IDENTITY])
        short = len(result["episodes"]) if reason else 0
        group = groups[result["suite"]["name"], identity, reason, short]
        if any(other["seed"] == result["seed"] for other in group):
            name = result["agent"]["name"]
            raise UserError(f"two result files hold seed {result['seed']} of {name}; keep one")
        group.append(result)
    return [_row(group, reason) for (_, _, reason, _), group in groups.items()]


def _as_shipped(row: Row, shipped: Sequence[dict[str, Any]]) -> Row:
    """The row with what must be known of runs that were not made here."""
    mine = [result for result in shipped if result.get("result_hash", "") in row.hashes]
    stale = [result for result in mine if why_unranked(result) == OTHER_CODE]
    made = {(r["env"]["package_version"], (r["git"]["commit"] or "")[:7]) for r in stale}
    words = (" ".join(filter(None, one)) for one in sorted(made))
    return replace(row, shipped=True, made_with=", ".join(words))


def _refuse_mixed_seeds(results: list[dict[str, Any]]) -> None:
    """Raise a `UserError` for results of a suite with different secret seeds."""
    seeds: dict[str, set[str | None]] = defaultdict(set)
    for result in results:
        seeds[result["suite"]["name"]].add(result["suite"]["secret_seeds"])
    for suite, commitments in seeds.items():
        if len(commitments) > 1:
            raise UserError(
                f"results of {suite} come from different seeds, public or secret; "
                "give each their own directory"
            )


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
    if not is_complete(suite, result["episodes"]):
        return too_few(len(result["episodes"]), suite)
    return _why_of_other_code(result)


def too_few(n_episodes: int, suite: Suite) -> str:
    """The reason why a run that was cut short is not ranked."""
    return f"{n_episodes} of {len(suite.episodes)} episodes"


def _why_of_other_code(result: dict[str, Any]) -> str:
    """Empty if environment and agent are, as far as they are here, those of the result."""
    if not result["isolated"]:
        return "played without isolation"
    if result["env"]["engine_version"] != ENGINE_VERSION:
        return f"acoustic engine {result['env']['engine_version']}, here it is {ENGINE_VERSION}"
    if result["env"]["asset_hash"] != asset_hash():
        return "other data files of the environments"
    agent = result["agent"]
    if is_here(agent["path"]) and source_hash(agent["path"], agent["kwargs"]) != agent["hash"]:
        return OTHER_CODE
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
    score = _score(group, suite.primary) if suite else Score(None, None, "")
    episodes = [e for result in group for e in result["episodes"]]
    means = {name: _mean(episodes, name) for name in episodes[0]["metrics"]}
    scale = SCALES.get(first["suite"]["name"])
    return Row(
        suite=first["suite"]["name"],
        agent=agent["name"],
        path=agent["path"],
        kwargs=agent["kwargs"],
        source=agent["hash"],
        rank=None,
        score=score.value,
        interval=score.interval,
        basis=score.basis,
        normalised=scale.normalised(score.value) if scale and score.value is not None else None,
        runs=len(group),
        episodes=len(episodes),
        privileged=tuple(agent["privileged"]),
        metrics=means | derived(suite, means) if suite else means,
        groups=_group_scores(group, suite) if suite else {},
        houses=_house_means(episodes, suite.primary) if suite else {},
        hardware=", ".join(sorted({_hardware_text(result["hardware"]) for result in group})),
        act_ms=float(np.median([result["timing"]["act_ms_p50"] for result in group])),
        authors=agent["authors"],
        url=agent["url"],
        commands=tuple(dict.fromkeys(result["command"] for result in group)),
        hashes=tuple(result.get("result_hash", "") for result in group),
        reason=reason or ("the score is undefined" if score.value is None else ""),
    )


def _score(results: list[dict[str, Any]], metric: str, group: str | None = None) -> Score:
    """Over all groups of episodes, or over one."""
    return board_score([_by_task(result, metric, group) for result in results])


def _group_scores(results: list[dict[str, Any]], suite: Suite) -> dict[str, Score]:
    if len(suite.groups) < 2:
        return {}
    return {group.name: _score(results, suite.primary, group.name) for group in suite.groups}


def _by_task(result: dict[str, Any], metric: str, group: str | None) -> dict[Hashable, np.ndarray]:
    """Scores of the episodes of every (group, scene)."""
    return by_task(
        ((episode["group"], episode["scene"]), episode["metrics"].get(metric))
        for episode in result["episodes"]
        if group in (None, episode["group"])
    )


def _house_means(episodes: list[dict[str, Any]], metric: str) -> dict[str, float | None]:
    scenes = sorted({e["scene"] for e in episodes}, key=lambda name: (len(name), name))
    return {s: _mean([e for e in episodes if e["scene"] == s], metric) for s in scenes}


def _mean(episodes: list[dict[str, Any]], name: str) -> float | None:
    values = [e["metrics"][name] for e in episodes if e["metrics"].get(name) is not None]
    return sum(values) / len(values) if values else None


def _hardware_text(hardware: dict[str, Any]) -> str:
    gpu = f" + {hardware['gpu']}" if hardware["gpu"] else ""
    return f"{hardware['count']} x {hardware['cpu']}{gpu}"
