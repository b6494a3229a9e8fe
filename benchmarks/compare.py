"""Agents against one of them, episode by episode."""

import sys

from av_envs.benchmarks.options.compare import main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
from collections import defaultdict
from typing import Any

from av_envs.benchmarks.board.leaderboard import Row
from av_envs.benchmarks.board.statistics import Score, board_score, by_task
from av_envs.benchmarks.board.tables import heading, interval, markdown_lines, number, score_digits
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.report import read_checked, read_rows
from av_envs.benchmarks.results.files import canonical
from av_envs.benchmarks.suites.suite import SUITES, Suite, add_suite

Result = dict[str, Any]
Values = dict[tuple[str, int], tuple[str, float]]  # (group, episode): (scene, score)


def compare(suite: Suite, runs: list[Result], others: list[Result]) -> tuple[Score, float | None]:
    """The differences of runs to others of the same seed, and the share of better episodes.

    Runs whose seed no other has are compared with the first of the others.
    """
    sign = 1 if suite.primary_metric.higher_is_better else -1
    by_seed = {other["seed"]: other for other in others}
    tasks, better = [], []
    for run in runs:
        mine, theirs = (
            _values(result, suite.primary) for result in (run, by_seed.get(run["seed"], others[0]))
        )
        shared = [place for place in mine if place in theirs]
        differences = {place: sign * (mine[place][1] - theirs[place][1]) for place in shared}
        tasks.append(by_task(((place[0], mine[place][0]), differences[place]) for place in shared))
        better += [difference > 0 for difference in differences.values()]
    return board_score(tasks), sum(better) / len(better) if better else None


def _values(result: Result, metric: str) -> Values:
    return {
        (e["group"], e["episode"]): (e["scene"], e["metrics"][metric])
        for e in result["episodes"]
        if e["metrics"][metric] is not None
    }


def table(suite: Suite, rows: list[Row], results: list[Result], against: str) -> str:
    """Markdown of the ranked rows of a suite."""
    by_agent: dict[tuple, list[Result]] = defaultdict(list)
    for result in results:
        if result["suite"]["name"] == suite.name:
            by_agent[_key(result["agent"])].append(result)
    rivals = [row for row in rows if row.agent == against]
    if len(rivals) != 1:
        named = ", ".join(row.agent for row in rows)
        raise UserError(f"{suite.name}: --against {against!r} must name one agent of {named}")
    others = by_agent[_row_key(rivals[0])]
    digits = score_digits(suite.name)
    lines = [["agent", "score", f"better than {against}", "in episodes"], ["---"] * 4]
    for row in rows:
        score, share = compare(suite, by_agent[_row_key(row)], others)
        lines.append(
            [
                row.agent,
                f"{number(row.score, digits)} {interval(row, digits)}",
                f"{number(score.value, digits)} {interval(score, digits)}",
                "-" if share is None or row is rivals[0] else f"{100 * share:.0f} %",
            ]
        )
    return f"## {heading(suite.name)}\n\n{markdown_lines(lines)}"


def _key(agent: dict[str, Any]) -> tuple:
    return agent["path"], canonical(agent["kwargs"]), agent["hash"]


def _row_key(row: Row) -> tuple:
    return row.path, canonical(row.kwargs), row.source


def sentence(first: Result, second: Result) -> str:
    """How much better the first run was than the second; both of one suite that is known here."""
    name = first["suite"]["name"]
    if (name, first["suite"]["hash"]) != (second["suite"]["name"], second["suite"]["hash"]):
        raise UserError(f"they played different suites: {name} and {second['suite']['name']}")
    suite = SUITES.get(name)
    if suite is None or suite.hash != first["suite"]["hash"]:
        raise UserError(f"the suite {name!r} of these results is not known here; see --suite")
    score, share = compare(suite, [first], [second])
    if share is None:
        raise UserError("they share no episode that both were scored in")
    one, other = first["agent"]["name"], second["agent"]["name"]
    digits, metric = score_digits(name), suite.primary_metric
    value = f"{number(score.value, digits)} {interval(score, digits)}"
    unit = f" {metric.unit}" if metric.unit else ""
    return (
        f"{name}, {metric.name}: {one} is better than {other} by {value}{unit}, "
        f"and in {100 * share:.0f} % of the episodes that both played"
    )


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    for path in arguments.suite:
        add_suite(path)
    paths = arguments.paths
    if len(paths) == 2:
        print(sentence(*(read_checked(path) for path in paths)))
        return
    if len(paths) > 2:
        raise UserError(f"compare one directory, or two result files; not {len(paths)} paths")
    rows, results = read_rows(paths[0])
    ranked = [row for row in rows if row.rank is not None]
    for name in dict.fromkeys(row.suite for row in ranked):
        mine = [row for row in ranked if row.suite == name]
        print(table(SUITES[name], mine, results, arguments.against), end="\n\n")
