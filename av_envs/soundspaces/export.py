"""Export of dwellings as a SoundSpaces 1.0 tree.

    python -m av_envs.soundspaces.export --scenes train:4 val:2 house-7 --out DIR

A scene is SPLIT:COUNT, the first dwellings of a split, or a name. The tree has responses, metadata
and views as SoundSpaces has them, and episodes, examples for passive separators and folders of
sound as the two projects on separation have them. Files that are there are kept: an interrupted
run goes on where it stopped.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import NamedTuple

from av_envs.arguments import parse
from av_envs.paths import path_argument
from av_envs.scene import SPLITS
from av_envs.scene.procedural.splits import split_of_dwelling
from av_envs.separation.config import STARTS
from av_envs.soundspaces.layout import DATASETS, GRIDS
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.episodes import Draw, write_episodes, write_passive
from av_envs.soundspaces.writing.meshes import scenes_folder, write_mesh
from av_envs.soundspaces.writing.metadata import check_metadata, write_metadata
from av_envs.soundspaces.writing.plan import announcement, free_bytes, plan, write_pieces
from av_envs.soundspaces.writing.projects import PROJECTS
from av_envs.soundspaces.writing.sounds import write_notes
from av_envs.threads import available_cores
from av_envs.worlds.base import BACKENDS, WorldSettings, open_pool, open_world, world_settings

PARTS = ("responses", "views", "episodes", "passive", "sounds", "meshes")  # beside the metadata
USUAL_PARTS = PARTS[:-1]  # meshes need an extra, and are opened by software that renders only
KINDS = {"mp3d": "house", "replica": "flat"}  # what SPLIT:COUNT means
PASSIVE_SPLITS = ("train", "val")


class Wanted(NamedTuple):
    """A scene as its world calls it, and the split that its episodes belong to."""

    name: str
    split: str


def scenes_of(texts: Sequence[str], world: WorldSettings) -> list[Wanted]:
    """The scenes that a command line names: SPLIT:COUNT, or a name each."""
    wanted = []
    for text in texts:
        split, colon, count = text.partition(":")
        if not colon or split not in SPLITS:
            wanted.append(Wanted(text, split_of(text, world)))
        elif not count.isdigit() or int(count) < 1:
            raise ValueError(f"{text!r}: after {split}: comes how many dwellings, 1 or more")
        else:
            pool = open_pool(world, split, int(count))
            if pool.size < int(count):
                raise ValueError(f"{text!r}: the split {split!r} has {pool.size} dwellings")
            wanted += [Wanted(pool.names[k], split) for k in range(pool.size)]
    return list(dict.fromkeys(wanted))


def split_of(name: str, world: WorldSettings) -> str:
    """The split that a dwelling belongs to; one that is in none counts as training."""
    if world.backend == "traced":  # which has too many to look through
        return split_of_dwelling(name) or SPLITS[0]
    return next((one for one in SPLITS if name in open_world(world).names(one)), SPLITS[0])


def write_small(
    export: Export,
    wanted: Sequence[Wanted],
    parts: Sequence[str],
    projects: Sequence[str],
    draw: Draw,
    n_passive: int,
) -> list[str]:
    """Everything that is quick to write, whether it is there or not; names of the splits."""
    written = []
    for split in SPLITS:
        scenes = [export.open(one.name).scene for one in wanted if one.split == split]
        for scene in scenes:
            write_metadata(export, scene)
            if "meshes" in parts:
                write_mesh(export, scene)
        if "episodes" in parts and scenes:
            scenes_folder(export).mkdir(parents=True, exist_ok=True)
            for project in projects:
                written += write_episodes(export, project, split, scenes, draw)
        if "passive" in parts and split in PASSIVE_SPLITS:
            for scene in scenes:
                write_passive(export, split, scene, draw._replace(per_scene=n_passive))
    if "sounds" in parts:
        for project in projects:
            write_notes(export, project, draw.sounds)
    return written


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    options = parse(parser, arguments)
    for name in ("workers", "episodes", "passive"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    try:
        _run(options)
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    near = _radius(options.pairs)
    if near is not None and {"episodes", "passive"} & set(options.parts):
        raise ValueError(
            f"episodes and passive examples need all pairs; with --pairs {options.pairs} "
            "name --parts without them"
        )
    world = world_settings(
        options.backend,
        dict(map(_option, options.option)),
        grid=GRIDS[options.dataset],
        hrtf=options.hrtf,
        kind=options.kind or KINDS[options.dataset],
    )
    export = Export(options.out, world, options.dataset, options.rate, options.trim, near)
    wanted = scenes_of(options.scenes, world)
    draw = Draw(
        options.episodes, options.min_source_distance, options.start, options.seed, options.sounds
    )
    names = [one.name for one in wanted]
    for name in names:
        check_metadata(export, export.open(name).scene)
    pieces = plan(export, names, options.parts, options.projects, draw.sounds)
    print(announcement(export, pieces))
    needed, free = sum(piece.n_bytes for piece in pieces), free_bytes(export.root)
    if needed > free:
        raise ValueError(
            f"{needed / 1e9:.2f} GB are missing, the disk has {free / 1e9:.2f} GB; "
            "export fewer --scenes, or --pairs near:METRES"
        )
    if options.dry_run:
        return
    splits = write_small(export, wanted, options.parts, options.projects, draw, options.passive)
    if splits:
        print("splits:", ", ".join(splits))
    if pieces:
        write_pieces(export, pieces, draw.sounds, options.workers)


def _radius(pairs: str) -> float | None:
    """Metres of --pairs near:METRES, None of --pairs all."""
    if pairs == "all":
        return None
    kind, _, metres = pairs.partition(":")
    try:
        if kind != "near":
            raise ValueError(kind)
        return float(metres)
    except ValueError:
        raise ValueError(f"--pairs must be all or near:METRES, got {pairs!r}") from None


def _option(text: str) -> tuple[str, object]:
    """Name and value of --option NAME=VALUE; the value is JSON, or else a text."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _parser() -> argparse.ArgumentParser:
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
    add("--backend", choices=BACKENDS, default="traced", help="where the dwellings come from")
    add(
        "--option",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="of the backend",
    )
    add("--hrtf", default="kemar", help="or the path of a SOFA file")
    add("--sounds", default="embedded", help="or the path of a folder of clips")
    add("--episodes", type=int, default=100, metavar="N", help="per scene and split; default 100")
    add("--passive", type=int, default=1000, metavar="N", help="examples per scene; default 1000")
    add("--start", choices=STARTS, help="of an agent; default: as the project has it")
    add("--min-source-distance", type=float, metavar="METRES",
        help="default 8, with --start between 4")  # fmt: skip
    add("--seed", type=int, default=0, help="of the episodes")
    add("--workers", type=int, default=available_cores(), help="processes")
    add("--dry-run", action="store_true", help="say what would be written, and how much")
    return parser


if __name__ == "__main__":
    main()
