"""Slow parts of an export: listed, announced, and written in several processes."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from av_envs.conventions import N_HEADINGS
from av_envs.progress import progress_bar
from av_envs.scene import Scene
from av_envs.soundspaces.writing import pictures, responses, sounds
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.files import on_disk

UNITS = {"responses": "responses", "views": "views", "sounds": "clips"}  # by part
NODES_PER_PIECE = 4  # sources; about a second's work


class Piece(NamedTuple):
    """Some files, written by one process.

    part     one of UNITS
    what     name of a scene, or a clip
    sources  nodes whose responses are missing
    n_files  how many files, or clips
    n_bytes  what they take on the disk, at most
    """

    part: str
    what: str | sounds.Clip
    sources: np.ndarray | None
    n_files: int
    n_bytes: int


def plan(
    export: Export,
    names: Sequence[str],
    parts: Sequence[str],
    projects: Sequence[str],
    corpus: str,
) -> list[Piece]:
    """All that is slow to write and not there yet.

    names  of scenes
    """
    pieces = []
    for name in names:
        scene = export.open(name).scene
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
    """Text on the amount still to be written: a line per part and one for the disk."""
    lines = []
    for part, unit in UNITS.items():
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
    with progress_bar(
        total=total, desc="exporting", unit="B", unit_scale=True, smoothing=0.05
    ) as bar:
        for done in Parallel(workers, return_as="generator_unordered")(tasks):
            bar.update(done)
