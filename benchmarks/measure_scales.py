"""Take the scales of suites from results: `python -m av_envs.benchmarks.measure_scales results`.

Writes them into benchmarks/board/normalisation.json, where other suites keep theirs. To be done
once per version of a suite.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from av_envs.benchmarks.board.leaderboard import Row
from av_envs.benchmarks.board.normalisation import FILE, read_scales
from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.benchmarks.report import read_rows
from av_envs.benchmarks.results.files import canonical, write_text
from av_envs.benchmarks.suites.suite import SUITES
from av_envs.paths import path_argument

Entry = tuple[str, dict[str, Any]]  # path and arguments of an agent

STANDING: Entry = ("av_envs.baselines.separation:StandInPlace", {})
MOVING: Entry = ("av_envs.baselines.separation:Random", {})
HIGH: Entry = ("av_envs.baselines.separation:Oracle", {})
# On the target nothing is won by moving: there the score of standing is no lower end.
MOVING_IS_LOW = frozenset({"sep-target-unheard-v2"})
TEAM_ENDS: tuple[Entry, Entry] = (
    ("av_envs.baselines.rir_measure:Random", {"predictor": "zero"}),
    ("av_envs.baselines.rir_measure:CoverageOracle", {"predictor": "oracle"}),
)
DIGITS = 3


def ends_of(suite: str) -> tuple[Entry, Entry]:
    """The agents whose scores count as 0 and as 1."""
    if suite in SUITES and SUITES[suite].primary == "wcr_mean":
        return TEAM_ENDS
    return (MOVING if suite in MOVING_IS_LOW else STANDING, HIGH)


def measured_scales(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Ends of the scales of the suites on which both agents are ranked, rounded."""
    scores = {
        (row.suite, row.path, canonical(row.kwargs)): row.score
        for row in rows
        if row.rank is not None
    }
    scales = {}
    for suite in sorted({row.suite for row in rows}):
        ends = [(suite, path, canonical(kwargs)) for path, kwargs in ends_of(suite)]
        if set(ends) <= set(scores):
            low, high = (round(scores[end], DIGITS) + 0.0 for end in ends)
            scales[suite] = {"low": low, "high": high}
    return scales


def _measure(arguments: argparse.Namespace) -> None:
    measured: dict[str, dict[str, float]] = {}
    for directory in arguments.directories:
        measured |= measured_scales(read_rows(directory)[0])
    if not measured:
        listed = ", ".join(map(str, arguments.directories))
        raise UserError(f"{listed} has no suite with whole runs of both its low and its high end")
    kept = {suite: asdict(scale) for suite, scale in read_scales(arguments.file).items()}
    listing = dict(sorted((kept | measured).items()))
    lines = [f"{json.dumps(suite)}: {json.dumps(ends)}" for suite, ends in listing.items()]
    write_text(arguments.file, "{\n" + ",\n".join(lines) + "\n}\n")
    for suite, ends in measured.items():
        print(f"{suite}: {ends['low']} to {ends['high']}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.measure_scales", description=__doc__)
    parser.add_argument(
        "directories",
        type=path_argument,
        nargs="+",
        help="where av_envs.benchmarks.run put its files",
    )
    parser.add_argument(
        "--file", type=path_argument, default=FILE, help=f"default: {FILE.name} beside this"
    )
    return run_command(_measure, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
