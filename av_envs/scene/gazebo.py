"""Gazebo worlds as scenes: the collision meshes of all models, each where the world puts it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

from av_envs.paths import user_path
from av_envs.scene.materials import Material
from av_envs.scene.mesh import UNKNOWN, MeshOptions, scene_of_surfaces
from av_envs.scene.mesh_file import Surfaces, read_surfaces
from av_envs.scene.mesh_finish import Materials
from av_envs.scene.mesh_report import MeshReport
from av_envs.scene.scene import Scene

SCHEME = "model://"
FRAME_TEXTS = ("m (Gazebo)", "z (Gazebo)")
Pose = Sequence[float]  # x, y, z in metres, roll, pitch, yaw in radians


def read_gazebo_world(
    path: str | Path,
    grid: float = 1.0,
    models: str | Path | None = None,
    extra: Mapping[str, Pose] | None = None,
    without: Sequence[str] = (),
    materials: Materials | None = None,
    default: str | Material = UNKNOWN,
) -> tuple[Scene, MeshReport]:
    """The scene of a Gazebo world file and a report of what became of it.

    models   folder of the models; by default "models" beside the world file or its folder
    extra    {model: pose} to add, e.g. a ceiling that the world leaves out for the view
    without  parts of names of models to leave out, e.g. doors that stand shut

    The other options are those of `read_mesh`. Models count by their names for the
    materials. Only meshes are read: boxes and planes of the engine itself are not.
    """
    path = user_path(path)
    folder = _models_folder(path, models)
    placed = _placed_models(path)
    placed += [(model, model, _matrix(path, model, pose)) for model, pose in (extra or {}).items()]
    pieces, absent = [], []
    for name, model, matrix in placed:
        if any(part in name for part in without):
            continue
        description = folder / model / "model.sdf"
        if not description.is_file():
            absent.append(model)
            continue
        pieces += [(name, *piece) for piece in _collisions(description, matrix, folder)]
    if not pieces:
        raise ValueError(f"{path}: none of its models has a mesh in {folder}")
    options = MeshOptions(grid, materials, default)
    scene, report = scene_of_surfaces(str(path), _joined(pieces), FRAME_TEXTS, options)
    if absent:
        warning = f"{len(absent)} models are not in {folder}: {', '.join(sorted(set(absent)))}"
        report = replace(report, warnings=(*report.warnings, warning))
    return scene, report


def _models_folder(path: Path, models: str | Path | None) -> Path:
    choices = (
        [user_path(models, "models")]
        if models is not None
        else [path.parent / "models", path.parents[1] / "models"]
    )
    for folder in choices:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{path}: no folder of models at {' or '.join(map(str, choices))}")


def _parse(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: not an SDF file: {error}") from error


def _placed_models(path: Path) -> list[tuple[str, str, np.ndarray]]:
    """Name, model and pose (4,4) of everything that the world includes."""
    placed = []
    world = _parse(path).find("world")
    if world is None:
        raise ValueError(f"{path}: holds no <world>")
    for element in [*world.findall("model"), world]:
        outer = _pose_of(path, element) if element is not world else np.eye(4)
        for include in element.findall("include"):
            uri = include.findtext("uri", "").strip()
            if not uri.startswith(SCHEME):
                raise ValueError(f"{path}: cannot follow {uri!r}; models are {SCHEME}name")
            model = uri[len(SCHEME) :]
            name = include.findtext("name") or element.get("name") or model
            placed.append((name, model, outer @ _pose_of(path, include)))
    return placed


def _collisions(
    description: Path, matrix: np.ndarray, folder: Path
) -> list[tuple[np.ndarray, Surfaces]]:
    """World triangles in metres and the surfaces they came from, of a model's collision meshes."""
    pieces = []
    for model in _parse(description).iter("model"):
        for link in model.findall("link"):
            at_link = matrix @ _pose_of(description, model) @ _pose_of(description, link)
            for collision in link.findall("collision"):
                mesh = collision.find("geometry/mesh")
                if mesh is None:
                    continue
                file = folder / mesh.findtext("uri", "").strip().removeprefix(SCHEME)
                surfaces = read_surfaces(file)
                scale = _numbers(description, "scale", mesh.findtext("scale", "1 1 1"), 3)
                points = surfaces.triangles * (scale * (surfaces.unit or 1.0))
                at = at_link @ _pose_of(description, collision)
                pieces.append((points @ at[:3, :3].T + at[:3, 3], surfaces))
    return pieces


def _joined(pieces: list[tuple[str, np.ndarray, Surfaces]]) -> Surfaces:
    """All pieces as one, a part for each, under the name of its model."""
    names, triangles, surfaces = zip(*pieces, strict=True)
    return Surfaces(
        np.concatenate(triangles),
        np.concatenate([each.colour for each in surfaces]),
        np.concatenate([each.coloured for each in surfaces]),
        np.repeat(np.arange(len(pieces), dtype=np.int32), [len(t) for t in triangles]),
        tuple((name,) for name in names),
        1.0,
        "z",
    )


def _pose_of(path: Path, element: ElementTree.Element) -> np.ndarray:
    return _matrix(path, "pose", _numbers(path, "pose", element.findtext("pose", "0 0 0 0 0 0"), 6))


def _numbers(path: Path, what: str, text: str, count: int) -> np.ndarray:
    try:
        values = np.array(text.split(), float)
    except ValueError:
        values = np.empty(0)
    if values.shape != (count,):
        raise ValueError(f"{path}: {what} needs {count} numbers, got {text!r}")
    return values


def _matrix(path: Path, what: str, pose: Pose) -> np.ndarray:
    """(4,4) of x, y, z, roll, pitch, yaw: turned about x, then y, then z, as SDF has it."""
    if len(pose) != 6:
        raise ValueError(f"{path}: the pose of {what!r} needs 6 numbers, got {pose!r}")
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", pose[3:]).as_matrix()
    matrix[:3, 3] = pose[:3]
    return matrix
