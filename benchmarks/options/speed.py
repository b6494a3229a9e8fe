"""How fast this machine steps: `python -m av_envs.benchmarks.speed [--env ID] [--json]`.

One environment on one core in the steady state: a pool of opened houses whose responses are
traced, random episodes, random actions, complete observations; no binaural response
outlives its episode. Steps per second include the resets. Beside it, in turns with it, the
papers' own procedure for the audio of one step (`av_envs.benchmarks.speed.reference_step`), which
has no pictures, poses or rewards.

Of a team (`--env AVRIRMeasure-v0`) a step is one of all robots together, with the pictures
of each and the responses of both directions measured and predicted; there is no code of the
paper to put beside it.

With `--vector`, on all cores: one environment, and `--num-envs` of them as Gymnasium steps
them one after another (sync), in processes (async) and as this package does (native), in
turns; and the memory that each environment more takes. With `--device cuda` also as many as
`--device-envs` says on that device, in torch. With `--estimator module:Factory` all are scored
by that estimator: native asks a `BatchEstimator` once in a step, "1 by 1" is the same with a
question at a time, and there are no processes, each of which would have a network of its own.
"""

import argparse

from av_envs.benchmarks.command_line import run_command
from av_envs.options import positive_int
from av_envs.registration import VARIANTS


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.benchmarks.speed", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    parser.add_argument(
        "--env", choices=sorted(VARIANTS), default="AVDynamicSep-v0", metavar="ID",
        help=f"one of {', '.join(sorted(VARIANTS))}",
    )  # fmt: skip
    parser.add_argument("--houses", type=positive_int, default=32, help="size of the pool")
    parser.add_argument("--reward", help="of separation, such as neg_nmse, if not the usual one")
    parser.add_argument("--estimator", help="of separation, module:Factory, that is to be scored")
    parser.add_argument("--vector", action="store_true", help="many environments at once")
    parser.add_argument("--num-envs", type=positive_int, default=16, help="with --vector: how many")
    parser.add_argument("--device", help="with --vector: also there, cuda or cpu, in torch")
    parser.add_argument("--device-envs", type=positive_int, help="how many there, as --num-envs")
    return run_command("av_envs.benchmarks.speed.command:carry_out", parser, argv)
