"""Gazebo worlds as scenes: the collision shapes of all models, each where the world puts it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from av_envs.paths import user_path
from av_envs.scene.importing.finish import Materials
from av_envs.scene.importing.mesh import UNKNOWN, MeshOptions, scene_of_surfaces
from av_envs.scene.importing.report import MeshReport
from av_envs.scene.importing.sdf_frames import Pose, matrix_of
from av_envs.scene.importing.sdf_models import Piece, SdfReader
from av_envs.scene.importing.surfaces import Surfaces
from av_envs.scene.materials import Material
from av_envs.scene.scene import Scene

FRAME_TEXTS = ("m (Gazebo)", "z (Gazebo)")


def read_gazebo_world(
    path: str | Path,
    grid: float = 1.0,
    models: str | Path | None = None,
    extra: Mapping[str, Pose] | None = None,
    without: Sequence[str] = (),
    materials: Materials | None = None,
    default: str | Material = UNKNOWN,
) -> tuple[Scene, MeshReport]:
    """The scene of a Gazebo world file and a report.

    models   folder of the models; by default "models" beside the world file or its folder
    extra    {model: pose} to add, e.g. a ceiling that the world leaves out for the view
    without  parts of names of models to leave out, e.g. doors that stand shut

    The other options are those of `read_mesh`. Models count by their names for the
    materials, links of models with several by theirs, too. Static or not, they stand where
    the world puts them. What is not read is in the warnings of the report, by name.
    """
    path = user_path(path)
    folder = _models_folder(path, models)
    reader = SdfReader(folder, tuple(without))
    pieces = reader.world(path)
    for model, pose in (extra or {}).items():
        matrix = matrix_of(path, f"the pose of {model!r}", pose)
        pieces += [piece.moved(matrix) for piece in reader.model(path, model, model)]
    if not pieces:
        told = "; ".join((f"{path}: none of its models has a shape", *_unread(reader, folder)))
        raise ValueError(told)
    options = MeshOptions(grid, materials, default)
    scene, report = scene_of_surfaces(str(path), _joined(pieces), FRAME_TEXTS, options)
    return scene, replace(report, warnings=(*report.warnings, *_unread(reader, folder)))


def _unread(reader: SdfReader, folder: Path) -> list[str]:
    """Notes on content of the world that is not read."""
    notes = list(dict.fromkeys(reader.notes))
    if reader.absent:
        names = ", ".join(sorted(reader.absent))
        notes.append(f"{len(reader.absent)} models are not in {folder}: {names}")
    return notes


def _models_folder(path: Path, models: str | Path | None) -> Path:
    """Folder of the models: the first of the usual places that exists."""
    if models is not None:
        folder = user_path(models, "models")
        if not folder.is_dir():
            raise FileNotFoundError(f"{path}: no folder of models at {folder}")
        return folder
    beside = path.parent / "models"
    above = path.parent.parent / "models"
    return above if above.is_dir() and not beside.is_dir() else beside


def _joined(pieces: list[Piece]) -> Surfaces:
    """All pieces as one, a part for each, under the name of its model."""
    surfaces = [piece.surfaces for piece in pieces]
    return Surfaces(
        np.concatenate([piece.triangles for piece in pieces]),
        np.concatenate([each.colour for each in surfaces]),
        np.concatenate([each.coloured for each in surfaces]),
        np.repeat(np.arange(len(pieces), dtype=np.int32), [len(p.triangles) for p in pieces]),
        tuple(piece.names for piece in pieces),
        1.0,
        "z",
    )
