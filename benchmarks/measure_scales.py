"""Print the scales that results suggest: `python -m benchmarks.measure_scales results`.

What it prints goes by hand into benchmarks/scales.py, once per version of a suite.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command_line import UserError, run_command
from benchmarks.leaderboard import Row
from benchmarks.report import read_rows

STANDING, MOVING = "baselines.separation:StandInPlace", "baselines.separation:Random"
HIGH = "baselines.separation:Oracle"
# Who starts on the target has nothing to win by moving: there standing is no floor.
MOVING_IS_LOW = frozenset({"sep-target-unheard-v1"})
DIGITS = 3


def scale_lines(rows: Sequence[Row]) -> list[str]:
    """Entries of `SCALES` for the suites on which both agents are ranked."""
    scores = {(row.suite, row.path): row.score for row in rows if row.rank is not None}
    lines = []
    for suite in sorted({row.suite for row in rows}):
        low = MOVING if suite in MOVING_IS_LOW else STANDING
        if {(suite, low), (suite, HIGH)} <= set(scores):
            ends = (f"{scores[suite, path]:.{DIGITS}f}" for path in (low, HIGH))
            lines.append(f'    "{suite}": Scale({", ".join(ends)}),')
    return lines


def _print(arguments: argparse.Namespace) -> None:
    lines = scale_lines(read_rows(arguments.directory)[0])
    if not lines:
        raise UserError(f"{arguments.directory} has no suite with whole runs of {HIGH} and the low")
    print("SCALES: dict[str, Scale] = {", *lines, "}", sep="\n")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.measure_scales", description=__doc__)
    parser.add_argument("directory", type=Path, help="where benchmarks.run put its files")
    return run_command(_print, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
