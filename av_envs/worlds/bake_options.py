"""Precompute the caches of a pool of dwellings before training: responses and, optionally, views.

Without it the same bits are computed on first use. Existing rows are kept, so an interrupted
run resumes where it stopped. Work is distributed by joblib: inside
`joblib.parallel_config(backend="ray")` or "dask" it goes to a cluster whose machines share the
cache directory.
"""

import argparse
import sys

from av_envs.arguments import imported, parse
from av_envs.registration import VARIANTS
from av_envs.threads import available_cores

# The packages that offer these compute, and are imported when they do.
TRACERS = ("numba", "warp")  # see `av_envs.acoustics.bank`
LOOKS = ("lit", "flat")  # see `av_envs.vision.views`


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m av_envs.worlds.bake", description=__doc__)
    parser.add_argument("--env", required=True, metavar="ID", help=", ".join(VARIANTS))
    parser.add_argument("--split", default="train", help="a split of that environment")
    parser.add_argument("--houses", type=int, default=32, help="dwellings of the split")
    parser.add_argument("--workers", type=int, default=available_cores(), help="processes")
    parser.add_argument("--tracer", choices=TRACERS, default="numba", help="warp: on the GPU")
    parser.add_argument("--views", action="store_true", help="bake the pictures as well")
    parser.add_argument("--look", choices=LOOKS, default=LOOKS[0], help="of the pictures")
    options = parse(parser, arguments)
    if options.workers < 1:
        parser.error(f"--workers must be at least 1, got {options.workers}")
    try:
        imported("av_envs.worlds.bake:carry_out")(options)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
