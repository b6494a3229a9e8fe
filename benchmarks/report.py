"""Turn a directory of result files into a leaderboard: `python -m benchmarks.report results`.

Writes leaderboard.md, .csv, .json and .html beside the results. An edited or broken
result file stops the report; incomplete runs are shown apart, without a rank.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.command_line import UserError, run_command
from benchmarks.leaderboard import Row, build_rows
from benchmarks.results import read_result, write_text
from benchmarks.tables import comma_separated, html_page, json_text, markdown

NAME = "leaderboard"
FORMATS = {".md": markdown, ".csv": comma_separated, ".json": json_text, ".html": html_page}


def write_report(directory: Path) -> tuple[list[Row], list[Path]]:
    """Read all results of a directory and write every format beside them."""
    files = sorted(path for path in directory.glob("*.json") if path.stem != NAME)
    if not files:
        raise UserError(f"no result files (*.json) in {directory}")
    rows = build_rows([read_result(path) for path in files])
    written = []
    for suffix, render in FORMATS.items():
        written.append(directory / (NAME + suffix))
        write_text(written[-1], render(rows))
    return rows, written


def _report(arguments: argparse.Namespace) -> None:
    for path in write_report(arguments.directory)[1]:
        print(path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=__doc__)
    parser.add_argument("directory", type=Path, help="where benchmarks.run put its files")
    return run_command(_report, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
