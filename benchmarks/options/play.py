"""Play an episode yourself: `av-envs play AVDynamicSep-v0`.

In a window where there is a screen, else in the terminal; you see and hear what an agent does, and
look at the map only if you ask for it. At the end your score stands beside those of agents that
play the same episode. Without a terminal the keys come from --keys, or from standard input, and a
film is recorded.
"""

import argparse
from pathlib import Path

from av_envs.benchmarks.command_line import run_command
from av_envs.benchmarks.play.named import OF_ENVIRONMENT
from av_envs.options import non_negative_int
from av_envs.paths import path_argument

FILM = Path("play.mp4")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.keyboard.command", description=__doc__
    )
    parser.add_argument("what", metavar="ID", help=f"{', '.join(OF_ENVIRONMENT)}, or a suite")
    parser.add_argument(
        "--env-kwargs", default="{}", help='JSON object of its options: {"sounds": "embedded-2"}'
    )
    parser.add_argument("--episode", type=non_negative_int, default=0, help="default: 0, the first")
    parser.add_argument(
        "--against", nargs="*", metavar="AGENT", help="who plays the same episode afterwards"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--window", action="store_true", help="open a window")
    where.add_argument("--terminal", action="store_true", help="stay in the terminal")
    where.add_argument("--keys", help="play these keys, such as wwad, and stay then")
    parser.add_argument(
        "--out", type=path_argument, help=f"record a film; without a terminal: {FILM}"
    )
    return run_command("av_envs.benchmarks.keyboard.command:carry_out", parser, argv)
