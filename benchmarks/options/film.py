"""Films of episodes with sound.

`av-envs film AVDynamicSep-v0 --agent Oracle --out film.mp4` plays one episode of the environment's
suite again and films it; a suite's name does as well. In the measuring task one hears a clap where
the first robot stands with the ears of the second. `--beside DoA` shows another agent in the same
episode on the right, whose sound is not heard; `--steps 45` films no more than the first 45 steps.
"""

import argparse
from pathlib import Path

from av_envs.benchmarks.command_line import run_command
from av_envs.benchmarks.play.named import OF_ENVIRONMENT
from av_envs.benchmarks.suites.suite import SUITES
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.benchmarks.board.film",
        description="Play one episode again and film it, with sound.",
    )
    parser.add_argument(
        "what", nargs="?", metavar="ID", help=f"{', '.join(OF_ENVIRONMENT)}, or a suite"
    )
    parser.add_argument("--suite", help=" | ".join(sorted(SUITES)) + " | a file")
    parser.add_argument("--agent", required=True, help="module:Factory, or a name such as Oracle")
    parser.add_argument("--agent-kwargs", default="{}", help="JSON object for the factory")
    parser.add_argument(
        "--env-kwargs", default="{}", help='JSON object of its options: {"sounds": "embedded-2"}'
    )
    parser.add_argument("--beside", metavar="AGENT", help="another one, shown on the right")
    parser.add_argument("--episode", type=non_negative_int, default=0, help="default: 0, the first")
    parser.add_argument(
        "--steps", type=positive_int, metavar="N", help="film the first N; default: all"
    )
    parser.add_argument(
        "--out", type=path_argument, default=Path("film.mp4"), help="default: film.mp4"
    )
    return run_command("av_envs.benchmarks.board.film:carry_out", parser, argv)
