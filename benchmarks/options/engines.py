"""Compare acoustic engines: `python -m av_envs.benchmarks.engines [--houses 10] [--json]`.

The built-in engine, RLR (that of SoundSpaces 2.0, extra [rlr], non-commercial) and
pyroomacoustics answer for the same pairs of places with the same materials: in an empty box,
and in dwellings of the test split, where pyroomacoustics cannot follow. Engines that are not
installed are named. What is read off is that of a microphone without direction; ILD is
heard by each engine's own head. All run on one thread and times are CPU times of that
thread, so that other work on the machine hardly matters.

`--flat ABSORPTION SCATTERING` makes all surfaces alike; otherwise they are the dwelling's own.
"""

import argparse

from av_envs.benchmarks.command_line import run_command
from av_envs.options import positive_int

NATIVE_RAYS = 4096  # the default of the environments


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.engines", description=__doc__)
    parser.add_argument("--houses", type=positive_int, default=10)
    parser.add_argument("--pairs", type=positive_int, default=8, help="per scene")
    parser.add_argument("--rays", type=positive_int, default=5000, help="of RLR per pair")
    parser.add_argument("--native-rays", type=positive_int, default=NATIVE_RAYS, help="per source")
    parser.add_argument(
        "--flat", type=float, nargs=2, metavar=("ABSORPTION", "SCATTERING"), help="of all surfaces"
    )
    parser.add_argument("--json", action="store_true", help="all figures on standard output")
    return run_command("av_envs.benchmarks.engines.command:carry_out", parser, argv)
