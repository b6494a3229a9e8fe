"""`av-envs view`: a dwelling as a picture (map, graph, views), with its size and decay times."""

import argparse
from collections.abc import Sequence

from av_envs.arguments import imported, parse
from av_envs.paths import path_argument

GRIDS = {"house": 1.0, "flat": 0.5}  # metres between nodes, as in the tasks


def main(arguments: Sequence[str]) -> int:
    """Print what a dwelling is like, and draw it."""
    parser = argparse.ArgumentParser(
        description="Look at a dwelling: its map with the navigation graph, four views, its rooms "
        "and the decay times (T20) of responses traced in it. Meshes: `av-envs inspect-mesh`."
    )
    parser.add_argument(
        "scene", help='SPLIT:INDEX, such as train:0, or a name, such as "house-12" or "flat-7"'
    )
    parser.add_argument("--kind", choices=GRIDS, default="house", help="of SPLIT:INDEX; house")
    parser.add_argument("--grid", type=float, help="metres between nodes; house 1, flat 0.5")
    parser.add_argument("--out", type=path_argument, help="PNG; default: the scene's name")
    parser.add_argument("--no-sound", action="store_true", help="trace nothing")
    options = parse(parser, arguments)
    try:
        imported("av_envs.command_line.dwelling:show")(options)
    except ValueError as error:
        parser.error(str(error))
    return 0
