"""Export of dwellings as a SoundSpaces 1.0 tree, see `export_options`."""

from av_envs.soundspaces.export_options import main

if __name__ == "__main__":  # help needs nothing of what follows
    main()
    raise SystemExit

import argparse
import json
from collections.abc import Sequence
from typing import NamedTuple

from av_envs.scene import SPLITS
from av_envs.scene.procedural.splits import split_of_dwelling
from av_envs.soundspaces.layout import GRIDS
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.episodes import Draw, write_episodes, write_passive
from av_envs.soundspaces.writing.meshes import scenes_folder, write_mesh
from av_envs.soundspaces.writing.metadata import check_metadata, write_metadata
from av_envs.soundspaces.writing.plan import announcement, free_bytes, plan, write_pieces
from av_envs.soundspaces.writing.sounds import write_notes
from av_envs.worlds.base import WorldSettings, open_pool, open_world, world_settings

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


def carry_out(options: argparse.Namespace) -> None:
    """What the command line asks for; errors are told by `main`."""
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
