"""Check a result file by playing some of it again: `python -m av_envs.benchmarks.verify FILE`.

Exit status 0: the file is whole, and the episodes played again came out the same to the last
digit. 1: it was edited, contradicts itself, or came out differently. 2: it cannot be decided here:
the suite, the environment, the agent's code or its checkpoint is another one, or this processor
or these libraries round differently than those of the file.

Everything that can be compared is compared before anything of the agent is imported or loaded.
A checkpoint that may hold code, which is any but .safetensors, is loaded with --trust only.
"""

import argparse

from av_envs.benchmarks.command_line import run_command
from av_envs.options import positive_int
from av_envs.paths import path_argument

N_EPISODES = 5


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=path_argument, help="a result of av_envs.benchmarks.run")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--episodes",
        type=positive_int,
        default=N_EPISODES,
        help=f"how many are drawn and played again, default {N_EPISODES}",
    )
    which.add_argument("--all", action="store_true", help="play every episode again")
    parser.add_argument(
        "--trust", action="store_true", help="load a checkpoint that may hold code, too"
    )
    parser.add_argument(
        "--secret-seeds", type=path_argument, help="the seeds of a result with secret ones"
    )
    parser.add_argument(
        "--suite",
        type=path_argument,
        metavar="FILE",
        help="the suite, if it was given as a file when the result was made",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command("av_envs.benchmarks.verify:carry_out", build_parser(), argv)
