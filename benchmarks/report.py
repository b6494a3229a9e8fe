"""A leaderboard from a directory of result files: `python -m av_envs.benchmarks.report DIR`.

Writes leaderboard.md, .csv, .json and .html beside the results; the page shows episodes on
the map and lets them be heard. A result file that is broken, was edited or contradicts itself
stops the report; runs that do not count (incomplete, of other code than is here, played without
isolation) are shown apart, without a rank and with the reason.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from av_envs.benchmarks.board.gallery import EXTREMES, build_gallery
from av_envs.benchmarks.board.leaderboard import Row, build_rows
from av_envs.benchmarks.board.page import html_page
from av_envs.benchmarks.board.tables import comma_separated, json_text, markdown
from av_envs.benchmarks.command_line import UserError, add_suite_files, run_command
from av_envs.benchmarks.results.consistency import RefutedError, check_consistency
from av_envs.benchmarks.results.files import read_result, write_text
from av_envs.benchmarks.suites.suite import SUITES, add_suite
from av_envs.paths import path_argument

NAME = "leaderboard"
FORMATS = {".md": markdown, ".csv": comma_separated, ".json": json_text}


def read_rows(directory: Path) -> tuple[list[Row], list[dict[str, Any]]]:
    """Rows and the results behind them."""
    files = sorted(path for path in directory.glob("*.json") if path.stem != NAME)
    if not files:
        raise UserError(f"no result files (*.json) in {directory}")
    results = [read_checked(path) for path in files]
    return build_rows(results), results


def read_checked(path: Path) -> dict[str, Any]:
    """A result; one of a suite that is known here must fit it."""
    result = read_result(path)
    suite = SUITES.get(result["suite"]["name"])
    if suite is not None and suite.hash == result["suite"]["hash"]:
        try:
            check_consistency(result, suite)
        except RefutedError as fault:
            raise UserError(f"{path} contradicts itself: {fault}") from None
    return result


def write_report(directory: Path, n_audio: int = 0) -> tuple[list[Row], list[Path]]:
    """Read all results of a directory and write every format beside them.

    n_audio  episodes of every agent and suite that can be heard, at most 3
    """
    rows, results = read_rows(directory)
    texts = {suffix: render(rows) for suffix, render in FORMATS.items()}
    texts[".html"] = html_page(rows, build_gallery(rows, results, n_audio))
    written = []
    for suffix, text in texts.items():
        written.append(directory / (NAME + suffix))
        write_text(written[-1], text)
    return rows, written


def _report(arguments: argparse.Namespace) -> None:
    for path in arguments.suite:
        add_suite(path)
    for path in write_report(arguments.directory, arguments.audio)[1]:
        print(path)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.report", description=__doc__)
    parser.add_argument(
        "directory", type=path_argument, help="where av_envs.benchmarks.run put its files"
    )
    parser.add_argument(
        "--audio",
        type=int,
        choices=range(len(EXTREMES) + 1),
        default=1,
        help="sound of the best, median and worst episode of every agent and suite, "
        "about 0.1 MB each; default 1, the best",
    )
    add_suite_files(parser)
    return run_command(_report, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
