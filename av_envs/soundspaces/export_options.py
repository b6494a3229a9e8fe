"""Export of dwellings as a SoundSpaces 1.0 tree.

    python -m av_envs.soundspaces.export --scenes train:4 val:2 house-7 --out DIR

A scene is SPLIT:COUNT, the first dwellings of a split, or a name. The tree has responses, metadata
and views as SoundSpaces has them, and episodes, examples for passive separators and folders of
sound as the two projects on separation have them. Files that are there are kept: an interrupted
run goes on where it stopped.
"""

import argparse
import sys

from av_envs.arguments import imported, parse
from av_envs.paths import path_argument
from av_envs.threads import available_cores

PARTS = ("responses", "views", "episodes", "passive", "sounds", "meshes")  # beside the metadata
USUAL_PARTS = PARTS[:-1]  # meshes need an extra, and are opened by software that renders only

# The modules that offer these compute, and are imported when they do.
DATASETS = ("replica", "mp3d")  # see `layout`
PROJECTS = ("aavidss", "aaviss", "audionav")  # see `writing.projects`
STARTS = ("between", "near", "target", "far")  # see `av_envs.separation.config`


def main(arguments: list[str] | None = None) -> None:
    parser = build_parser()
    options = parse(parser, arguments)
    for name in ("workers", "episodes", "passive"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    try:
        imported("av_envs.soundspaces.export:carry_out")(options)
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.exit(f"error: {error}")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m av_envs.soundspaces.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scenes", nargs="+", required=True, metavar="SCENE", help="SPLIT:COUNT or a name")
    add("--out", type=path_argument, required=True, metavar="DIR", help="root of the tree")
    add("--dataset", choices=DATASETS, default="mp3d", help="whose conventions; default mp3d")
    add("--kind", choices=("house", "flat"), help="of SPLIT:COUNT; mp3d: house, replica: flat")
    add(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=list(USUAL_PARTS),
        metavar="PART",
        help=f"of {', '.join(PARTS)}; default all but meshes",
    )
    add("--projects", nargs="+", choices=PROJECTS, default=["aavidss", "aaviss"], metavar="NAME",
        help=f"whose episodes and sounds, of {', '.join(PROJECTS)}")  # fmt: skip
    add("--rate", type=int, help="Hz of the responses; mp3d: 16000, replica: 44100")
    add("--trim", action="store_true", help="leave out the silence that ends a response")
    add("--pairs", default="all", metavar="all|near:METRES", help="which responses; default all")
    add("--backend", default="traced", help="where the dwellings come from; default traced")
    add(
        "--option",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="of the backend",
    )
    add("--hrtf", default="kemar", help="or the path of a SOFA file")
    add("--sounds", default="embedded", help="or embedded-2, or the path of a folder")
    add("--episodes", type=int, default=100, metavar="N", help="per scene and split; default 100")
    add("--passive", type=int, default=1000, metavar="N", help="examples per scene; default 1000")
    add("--start", choices=STARTS, help="of an agent; default: as the project has it")
    add("--min-source-distance", type=float, metavar="METRES",
        help="default 8, with --start between 4")  # fmt: skip
    add("--seed", type=int, default=0, help="of the episodes")
    add("--workers", type=int, default=available_cores(), help="processes")
    add("--dry-run", action="store_true", help="say what would be written, and how much")
    return parser
