"""A leaderboard from a directory of result files."""

import sys

from av_envs.benchmarks.options.report import main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

import argparse
from pathlib import Path
from typing import Any

from av_envs.benchmarks.board.gallery import build_gallery
from av_envs.benchmarks.board.leaderboard import Row, build_rows, why_unranked
from av_envs.benchmarks.board.page import html_page
from av_envs.benchmarks.board.tables import comma_separated, json_text, markdown
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.results.consistency import RefutedError, check_consistency
from av_envs.benchmarks.results.files import canonical, read_result, write_text
from av_envs.benchmarks.results.shipped import SHIPPED, files_of
from av_envs.benchmarks.suites.suite import SUITES, add_suite
from av_envs.paths import path_argument

NAME = "leaderboard"
FORMATS = {".md": markdown, ".csv": comma_separated, ".json": json_text}


def read_rows(
    directory: Path, beside: Path | None = None
) -> tuple[list[Row], list[dict[str, Any]]]:
    """Rows and the results behind them.

    beside  a directory of finished results, which are added where they are of the same suites and
            seeds; what is in `directory` as well is not added
    """
    files = sorted(path for path in directory.glob("*.json") if path.stem != NAME)
    if not files:
        raise UserError(f"no result files (*.json) in {directory}")
    results = [read_checked(path) for path in files]
    added = _beside(results, beside) if beside else []
    return build_rows(results, added), [*results, *added]


def _beside(results: list[dict[str, Any]], directory: Path) -> list[dict[str, Any]]:
    """Results of a directory that fit those at hand and are not among them."""
    if not directory.is_dir():
        raise UserError(f"--beside: there is no directory {directory}")
    seeds = {r["suite"]["name"]: r["suite"]["secret_seeds"] for r in results}
    runs = {_run_of(result) for result in results if not why_unranked(result)}
    found = [read_checked(path) for path in files_of(directory, seeds)]
    return [
        result
        for result in found
        if seeds[result["suite"]["name"]] == result["suite"]["secret_seeds"]
        and _run_of(result) not in runs
    ]


def _run_of(result: dict[str, Any]) -> tuple:
    agent = result["agent"]
    return result["suite"]["name"], agent["path"], canonical(agent["kwargs"]), result["seed"]


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


def write_report(
    directory: Path, n_audio: int = 0, beside: Path | None = None, trust: bool = False
) -> tuple[list[Row], list[Path]]:
    """Read all results of a directory and write every format beside them.

    n_audio  episodes of every agent and suite that can be heard and seen, at most 3
    beside   see `read_rows`
    trust    whether agents that do not come with the package may run, to be heard separating
    """
    rows, results = read_rows(directory, beside)
    texts = {suffix: render(rows) for suffix, render in FORMATS.items()}
    texts[".html"] = html_page(rows, build_gallery(rows, results, n_audio, trust))
    written = []
    for suffix, text in texts.items():
        written.append(directory / (NAME + suffix))
        write_text(written[-1], text)
    return rows, written


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    for path in arguments.suite:
        add_suite(path)
    beside = {"shipped": SHIPPED, "none": None}.get(arguments.beside, arguments.beside)
    if beside is not None:
        beside = path_argument(str(beside))
    written = write_report(arguments.directory, arguments.audio, beside, arguments.trust)[1]
    for path in written:
        print(path)
