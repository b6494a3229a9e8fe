"""Agents play suites: `python -m av_envs.benchmarks.run --suite S --agent A:Factory --out DIR`.

One result file per suite, agent and seed. A file that exists is kept, and an interrupted
run goes on with the episode where it stopped. Fewer episodes than the suite has, or an
episode in which the agent failed, make the result incomplete: it is shown by the report
but not ranked.
"""

import argparse

from av_envs.benchmarks.command_line import run_command
from av_envs.benchmarks.suites.suite import SUITES
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument

TIMEOUT = 300  # s, for one answer of an agent


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.run", description=__doc__)
    parser.add_argument(
        "--suite",
        required=True,
        nargs="+",
        help=" | ".join(sorted(SUITES)) + " | the .json file of another one",
    )
    parser.add_argument("--agent", required=True, nargs="+", help="module:Factory")
    parser.add_argument("--agent-kwargs", default="{}", help="JSON object for the factory")
    parser.add_argument("--episodes", type=positive_int, help="only the first N of every group")
    parser.add_argument("--seeds", type=non_negative_int, nargs="+", default=[0], help="default: 0")
    parser.add_argument(
        "--out", type=path_argument, required=True, help="directory of the result files"
    )
    parser.add_argument("--workers", type=positive_int, default=1, help="processes, default 1")
    parser.add_argument(
        "--timeout",
        type=positive_int,
        default=TIMEOUT,
        help=f"seconds that an agent may take for one answer, default {TIMEOUT}",
    )
    parser.add_argument(
        "--no-isolation",
        action="store_true",
        help="let the agent play in this process, for debugging; such results are not ranked",
    )
    parser.add_argument(
        "--secret-seeds",
        type=path_argument,
        help="a file of seeds, one a line, that stand in for those of the suite",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command("av_envs.benchmarks.run:carry_out", build_parser(), argv)
