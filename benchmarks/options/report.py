"""A leaderboard from a directory of result files: `python -m av_envs.benchmarks.report DIR`.

Writes leaderboard.md, .csv, .json and .html beside the results; the page shows episodes on
the map and lets them be seen and heard. A result file that is broken, was edited or contradicts
itself stops the report; runs that do not count (incomplete, of other code than is here, played
without isolation) are shown apart, without a rank and with the reason.
"""

import argparse

from av_envs.benchmarks.command_line import add_suite_files, run_command
from av_envs.paths import path_argument

EXTREMES = ("best", "median", "worst")  # episodes that can be heard


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.report", description=__doc__)
    parser.add_argument(
        "directory", type=path_argument, help="where av_envs.benchmarks.run put its files"
    )
    parser.add_argument(
        "--audio",
        type=int,
        choices=range(len(EXTREMES) + 1),
        default=len(EXTREMES),
        help="sounds and camera views of the best, median and worst episode of every agent and "
        "suite but the shipped ones, about 0.2 MB each; default 3, all of these",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="where agents' own estimates are scored, run agents that do not come with av-envs, "
        "too, so that what they separated can be heard",
    )
    parser.add_argument(
        "--beside",
        default="shipped",
        metavar="shipped | none | DIR",
        help="rank them among results of others in the same suites; default: those that come "
        "with the package",
    )
    add_suite_files(parser)
    return run_command("av_envs.benchmarks.report:carry_out", parser, argv)
