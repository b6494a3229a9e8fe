"""Which episodes the page shows, and everything that drawing and hearing them takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from av_envs.benchmarks.board.kept import kept_senses
from av_envs.benchmarks.board.leaderboard import Row, too_few
from av_envs.benchmarks.board.maps import map_of
from av_envs.benchmarks.board.replaying import OF_MIXTURE, replay
from av_envs.benchmarks.board.sounds import tracks
from av_envs.benchmarks.board.tables import beside, digits_of
from av_envs.benchmarks.board.views import view_sheet
from av_envs.benchmarks.options.report import EXTREMES
from av_envs.benchmarks.play.trajectories import TASKS
from av_envs.benchmarks.suites.suite import SUITES, Suite
from av_envs.conventions import SAMPLE_RATE
from av_envs.progress import progress_bar

N_RANDOM = 20  # the same episodes for every agent, so that ways can be compared

Record = dict[str, Any]


def build_gallery(
    rows: Sequence[Row], results: Sequence[dict[str, Any]], n_audio: int, trust: bool = False
) -> dict[str, Any]:
    """The page's data: maps by scene, and per suite the shown episodes of every ranked agent.

    Runs that were cut short are shown as well. Those that came with the package have neither sound
    nor views: it would take long to replay.

    n_audio  of the best, median and worst episode of an agent, how many can be heard and seen: 0
             to 3
    trust    see `replay`
    """
    suites: dict[str, Any] = {}
    shown = [row for row in rows if row.rank is not None or _is_short(row)]
    for row in progress_bar(shown, "episodes", shown=n_audio > 0):
        suite, result = SUITES[row.suite], _result_of(row, results)
        records = [record for record in result["episodes"] if record["replay"]]
        if records:
            agents = suites.setdefault(row.suite, _frame(suite))["agents"]
            episodes = _shown(suite, records)
            for entry, record in episodes[: 0 if row.shipped else n_audio]:
                if entry["why"]:
                    entry |= _senses(suite, record, result, trust)
            entries = [entry for entry, _ in episodes]
            agents.append(
                {"name": row.agent, "episodes": entries, "scores": _scores(suite, result)}
            )
    places = {
        episode["scene"]: (
            SUITES[name],
            episode["group"] or SUITES[name].groups[0].name,
            episode["episode"],
        )
        for name, suite in suites.items()
        for agent in suite["agents"]
        for episode in agent["episodes"]
    }
    maps = {scene: map_of(*places[scene], scene) for scene in sorted(places)}
    return {"suites": suites, "maps": maps}


def _scores(suite: Suite, result: Record) -> list[tuple[str, str, int, float | None]]:
    """(scene, group, episode, score) of every episode; no group where there is one only."""
    return [
        (
            record["scene"],
            record["group"] if len(suite.groups) > 1 else "",
            record["episode"],
            None if (score := record["metrics"][suite.primary]) is None else round(score, 4),
        )
        for record in result["episodes"]
    ]


def pick(records: Sequence[Record], primary: str, higher_is_better: bool) -> dict[str, Record]:
    """The best, the median and the worst episode; fewer if there are not as many with a score."""
    scored = [record for record in records if record["metrics"][primary] is not None]
    scored.sort(key=lambda r: (r["metrics"][primary], r["group"], r["episode"]))
    if higher_is_better:
        scored.reverse()
    if not scored:
        return {}
    chosen = {"best": scored[0], "median": scored[len(scored) // 2], "worst": scored[-1]}
    return chosen if len(scored) >= len(EXTREMES) else {"best": scored[0]}


def sample(records: Sequence[Record], n: int = N_RANDOM) -> list[Record]:
    """Up to `n` episodes, drawn by their place only, in order."""
    rng = np.random.default_rng(0)
    places = rng.permutation(len(records))[:n]
    return [records[place] for place in sorted(places)]


def _is_short(row: Row) -> bool:
    """Whether all that a row lacks for a rank are episodes."""
    suite = SUITES.get(row.suite)
    return suite is not None and row.reason == too_few(row.episodes // row.runs, suite)


def _frame(suite: Suite) -> dict[str, Any]:
    """What all episodes of a suite share; `digits` are those after the point of the score."""
    metric = suite.primary_metric
    return {
        "metric": metric.name,
        "unit": metric.unit,
        "digits": digits_of(metric.name),
        "agents": [],
    }


def _result_of(row: Row, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The result with the lowest seed behind a row."""
    mine = [result for result in results if result.get("result_hash", "") in row.hashes]
    return min(mine, key=lambda result: result["seed"])


def _shown(suite: Suite, records: list[Record]) -> list[tuple[dict[str, Any], Record]]:
    """Entries of the page with their records, the best, median and worst first."""
    chosen = pick(records, suite.primary, suite.primary_metric.higher_is_better)
    picked = [id(record) for record in chosen.values()]
    others = [record for record in sample(records) if id(record) not in picked]
    named = [*chosen.items(), *(("", record) for record in others)]
    return [(_entry(suite, record, why), record) for why, record in named]


def _senses(suite: Suite, record: Record, result: Record, trust: bool) -> dict[str, Any]:
    """What the page plays of an episode, see `kept_senses`.

    tracks       see `tracks`
    no_estimate  why none of them is an estimate; empty where one is or none could be
    pace         how many steps pass in a second
    views        see `view_sheet`; None in a dwelling without views
    """

    def take() -> tuple[dict[str, Any], bool]:
        taken = replay(suite, record, result, trust)
        senses = {
            "tracks": tracks(taken, TASKS[record["replay"]["task"]].compression),
            "no_estimate": taken.remark if taken.estimate is None else "",
            "pace": record["length"] * SAMPLE_RATE / taken.heard.shape[1],
            "views": None if taken.views is None else view_sheet(taken.views),
        }
        return senses, senses["no_estimate"] in ("", OF_MIXTURE)

    return kept_senses(result, record, take)


def _entry(suite: Suite, record: Record, why: str) -> dict[str, Any]:
    """An episode without what the page does not show.

    beside  metrics that must be read with the score
    replay  see `av_envs.replay`
    """
    return {
        "why": why,
        "group": record["group"] if len(suite.groups) > 1 else "",
        "episode": record["episode"],
        "scene": record["scene"],
        "score": record["metrics"][suite.primary],
        "beside": {name: record["metrics"][name] for name in beside(suite.primary)},
        "series": record["series"],
        "replay": record["replay"],
    }
