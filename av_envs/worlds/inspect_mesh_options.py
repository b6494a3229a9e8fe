"""Report and picture of the scene that a mesh file becomes: map, nodes and views.

python -m av_envs.worlds.inspect_mesh house.glb --out house.png
"""

import argparse
import sys

from av_envs.arguments import imported, parse
from av_envs.paths import path_argument


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m av_envs.worlds.inspect_mesh", description=__doc__
    )
    parser.add_argument("file", help="OBJ, PLY, GLB, STL, DAE or a Gazebo .world")
    parser.add_argument("--out", type=path_argument, help="PNG of the map, the nodes and views")
    parser.add_argument("--grid", type=float, default=1.0, help="metres between nodes")
    parser.add_argument("--unit", default="auto", help="m, cm, mm, in, ft or metres per unit")
    parser.add_argument("--up", default="auto", help="x, y or z: the axis that points up")
    parser.add_argument("--default", default="unknown", help="material of what no name tells")
    parser.add_argument(
        "--material",
        action="append",
        default=[],
        metavar="PART=MATERIAL",
        help="material of everything whose name holds PART; may be given again",
    )
    options = parse(parser, arguments)
    for text in options.material:
        if "=" not in text:
            parser.error(f"--material needs PART=MATERIAL, got {text!r}")
    try:
        imported("av_envs.worlds.inspect_mesh:carry_out")(options)
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"error: {error}")
