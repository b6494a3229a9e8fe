"""The whole path once: `python -m av_envs.benchmarks.demo --out demo` (or `make demo`).

Three agents walk through four unseen houses, a leaderboard ranks them, and
the best episode of the oracle becomes a film with sound.
"""

import argparse
from pathlib import Path

from av_envs.benchmarks.command_line import run_command
from av_envs.paths import path_argument


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.demo", description=__doc__)
    parser.add_argument("--out", type=path_argument, default=Path("demo"), help="default: demo")
    return run_command("av_envs.benchmarks.demo:carry_out", parser, argv)
