"""Print the scales that results suggest: `python -m av_envs.benchmarks.measure_scales results`.

What it prints goes by hand into benchmarks/scales.py, once per version of a suite.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError, run_command
from av_envs.benchmarks.leaderboard import Row
from av_envs.benchmarks.report import read_rows
from av_envs.benchmarks.results import canonical
from av_envs.benchmarks.suites import SUITES

Entry = tuple[str, dict[str, Any]]  # path and arguments of an agent

STANDING: Entry = ("av_envs.baselines.separation:StandInPlace", {})
MOVING: Entry = ("av_envs.baselines.separation:Random", {})
HIGH: Entry = ("av_envs.baselines.separation:Oracle", {})
# Who starts on the target has nothing to win by moving: there standing is no floor.
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


def scale_lines(rows: Sequence[Row]) -> list[str]:
    """Entries of `SCALES` for the suites on which both agents are ranked."""
    scores = {
        (row.suite, row.path, canonical(row.kwargs)): row.score
        for row in rows
        if row.rank is not None
    }
    lines = []
    for suite in sorted({row.suite for row in rows}):
        ends = [(suite, path, canonical(kwargs)) for path, kwargs in ends_of(suite)]
        if set(ends) <= set(scores):
            low, high = (f"{scores[end]:.{DIGITS}f}" for end in ends)
            lines.append(f'    "{suite}": Scale({low}, {high}),')
    return lines


def _print(arguments: argparse.Namespace) -> None:
    lines = scale_lines(read_rows(arguments.directory)[0])
    if not lines:
        raise UserError(
            f"{arguments.directory} has no suite with whole runs of both its low and its high end"
        )
    print("SCALES: dict[str, Scale] = {", *lines, "}", sep="\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.measure_scales", description=__doc__)
    parser.add_argument("directory", type=Path, help="where av_envs.benchmarks.run put its files")
    return run_command(_print, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
