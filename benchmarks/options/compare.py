"""Agents against one of them, episode by episode: `python -m av_envs.benchmarks.compare results`.

Prints a table per suite: the score as on the board; how much better each agent was than the one
named by --against in the same episodes, averaged like scores, with its 95 % interval; and in which
share of the episodes it was better at all.

With two result files in place of the directory, `... compare A.json B.json`: A against B.
"""

import argparse

from av_envs.benchmarks.command_line import add_suite_files, run_command
from av_envs.paths import path_argument


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.compare", description=__doc__)
    parser.add_argument(
        "paths",
        type=path_argument,
        nargs="+",
        metavar="DIR | A B",
        help="where av_envs.benchmarks.run put its files, or two of these files",
    )
    parser.add_argument("--against", default="Random", help="an agent's name, default Random")
    add_suite_files(parser)
    return run_command("av_envs.benchmarks.compare:carry_out", parser, argv)
