"""Write dwellings as a SoundSpaces 1.0 tree, so that software made for it runs on them.

    python -m av_envs.soundspaces.export --scenes train:4 val:2 house-7 --out DIR

A scene is SPLIT:COUNT, the first dwellings of a split, or a name. The tree has responses, metadata
and views as SoundSpaces has them, and episodes, examples for passive separators and folders of
sound as the two projects on separation have them. Files that are there are kept: an interrupted
run goes on where it stopped.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from av_envs.acoustics.tracing import available_cores
from av_envs.conventions import N_HEADINGS
from av_envs.dwelling import BACKENDS, WorldSettings, open_pool, open_world, world_settings
from av_envs.scene import SPLITS, Scene
from av_envs.scene.splits import SPLIT_SIZE
from av_envs.separation.config import STARTS
from av_envs.soundspaces.layout import DATASETS, GRIDS
from av_envs.soundspaces.writing import pictures, responses, sounds
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.episodes import Draw, write_episodes, write_passive
from av_envs.soundspaces.writing.files import on_disk
from av_envs.soundspaces.writing.metadata import check_metadata, write_metadata
from av_envs.soundspaces.writing.projects import PROJECTS

PARTS = ("responses", "views", "episodes", "passive", "sounds")  # beside the metadata
KINDS = {"mp3d": "house", "replica": "flat"}  # what SPLIT:COUNT means
PASSIVE_SPLITS = ("train", "val")
NODES_PER_PIECE = 4  # sources; about a second's work


class Wanted(NamedTuple):
    """A scene as `load_scene` calls it, and the split that its episodes belong to."""

    name: str
    split: str


class Piece(NamedTuple):
    """Some files, written by one process.

    part     one of PARTS
    what     name of a scene, or a clip
    sources  nodes whose responses are missing
    n_files  and
    n_bytes  on the disk, at most
    """

    part: str
    what: str | sounds.Clip
    sources: np.ndarray | None
    n_files: int
    n_bytes: int


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
    number = name.rpartition("-")[2]
    if world.backend == "traced":  # which has too many to look through
        last = len(SPLITS) - 1
        return SPLITS[min(int(number) // SPLIT_SIZE, last)] if number.isdigit() else SPLITS[0]
    return next((one for one in SPLITS if name in open_world(world).names(one)), SPLITS[0])


def plan(
    export: Export,
    wanted: Sequence[Wanted],
    parts: Sequence[str],
    projects: Sequence[str],
    corpus: str,
) -> list[Piece]:
    """All that is slow to write and not there yet."""
    pieces = []
    for name, _ in wanted:
        scene = export.open(name).scene
        check_metadata(export, scene)
        if "views" in parts and not export.layout.pictures(scene.name).exists():
            n = N_HEADINGS * len(scene.graph)
            pieces.append(Piece("views", name, None, n, pictures.pictures_bytes(scene)))
        if "responses" in parts:
            pieces += _missing_responses(export, name, scene)
    if "sounds" in parts:
        for clip in (clip for project in projects for clip in sounds.clips_of(project, corpus)):
            if not sounds.is_complete(export, clip, corpus):
                pieces.append(Piece("sounds", clip, None, 1, sounds.clip_bytes(clip, corpus)))
    return pieces


def _missing_responses(export: Export, name: str, scene: Scene) -> list[Piece]:
    each = on_disk(responses.response_bytes(export.rate))
    counts = responses.missing_responses(export, scene).sum(axis=(0, 1))
    sources = np.flatnonzero(counts)
    pieces = []
    for k in range(0, len(sources), NODES_PER_PIECE):
        some = sources[k : k + NODES_PER_PIECE]
        n = int(counts[some].sum())
        pieces.append(Piece("responses", name, some, n, n * each))
    return pieces


def announcement(export: Export, pieces: Sequence[Piece]) -> str:
    """How much is still to be written, in a line per part and one for the disk."""
    lines = []
    for part, unit in (("responses", "responses"), ("views", "views"), ("sounds", "clips")):
        some = [piece for piece in pieces if piece.part == part]
        if some:
            n_files, n_bytes = (sum(piece[k] for piece in some) for k in (3, 4))
            lines.append(f"{n_files:,} {unit}: {n_bytes / 1e9:.2f} GB")
    total = sum(piece.n_bytes for piece in pieces)
    at_most = "at most " if export.trimmed else ""
    lines.append(
        f"{at_most}{total / 1e9:.2f} GB are still to be written to {export.root}, "
        f"whose disk has {free_bytes(export.root) / 1e9:.2f} GB"
    )
    return "\n".join(lines)


def free_bytes(path: Path) -> int:
    """Room on the disk of a folder, which need not exist yet."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def write_piece(export: Export, piece: Piece, corpus: str) -> int:
    """Write some files on one core; returns what they take at most."""
    if piece.part == "responses":
        responses.write_responses(export, piece.what, piece.sources)
    elif piece.part == "views":
        pictures.write_pictures(export, piece.what)
    else:
        sounds.write_clip(export, piece.what, corpus)
    return piece.n_bytes


def write_pieces(export: Export, pieces: Sequence[Piece], corpus: str, workers: int) -> None:
    """Work through the pieces in several processes, with one progress bar over the bytes."""
    tasks = (delayed(write_piece)(export, piece, corpus) for piece in pieces)
    total = sum(piece.n_bytes for piece in pieces)
    with tqdm(total=total, desc="exporting", unit="B", unit_scale=True, smoothing=0.05) as bar:
        for done in Parallel(workers, return_as="generator_unordered")(tasks):
            bar.update(done)


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
        if "episodes" in parts and scenes:
            for project in projects:
                written += write_episodes(export, project, split, scenes, draw)
        if "passive" in parts and split in PASSIVE_SPLITS:
            for scene in scenes:
                write_passive(export, split, scene, draw._replace(per_scene=n_passive))
    if "sounds" in parts:
        for project in projects:
            sounds.write_notes(export, project, draw.sounds)
    return written


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in ("workers", "episodes", "passive"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    try:
        _run(options)
    except (TypeError, ValueError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    near = _reach(options.pairs)
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
    pieces = plan(export, wanted, options.parts, options.projects, draw.sounds)
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


def _reach(pairs: str) -> float | None:
    """Metres of --pairs near:METRES, None of --pairs all."""
    if pairs == "all":
        return None
    kind, _, metres = pairs.partition(":")
    try:
        if kind == "near":
            return float(metres)
    except ValueError:
        pass
    raise ValueError(f"--pairs must be all or near:METRES, got {pairs!r}")


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
    add("--out", type=Path, required=True, metavar="DIR", help="root of the tree")
    add("--dataset", choices=DATASETS, default="mp3d", help="whose conventions; default mp3d")
    add("--kind", choices=("house", "flat"), help="of SPLIT:COUNT; mp3d: house, replica: flat")
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    add("--projects", nargs="+", choices=PROJECTS, default=["aavidss", "aaviss"], metavar="NAME",
        help=f"whose episodes and sounds, of {', '.join(PROJECTS)}")  # fmt: skip
    add("--rate", type=int, help="Hz of the responses; mp3d: 16000, replica: 44100")
    add("--trim", action="store_true", help="leave out the silence that ends a response")
    add("--pairs", default="all", metavar="all|near:METRES", help="which responses; default all")
    add("--backend", choices=BACKENDS, default="traced", help="where the dwellings come from")
    add("--option", nargs="+", default=[], metavar="NAME=VALUE", help="of the backend")
    add("--hrtf", default="kemar", help="or the path of a SOFA file")
    add("--sounds", default="embedded", help="or the path of a folder of clips")
    add("--episodes", type=int, default=100, metavar="N", help="per scene and split; default 100")
    add("--passive", type=int, default=1000, metavar="N", help="examples per scene; default 1000")
    add("--start", choices=STARTS, help="of an agent; default: as the project has it")
    add("--min-source-distance", type=float, default=8.0, metavar="METRES")
    add("--seed", type=int, default=0, help="of the episodes")
    add("--workers", type=int, default=available_cores(), help="processes")
    add("--dry-run", action="store_true", help="say what would be written, and how much")
    return parser


if __name__ == "__main__":
    from av_envs.soundspaces import export as here  # other processes find its functions by name

    here.main()
