"""Reading mesh files: triangles, names and colours, by trimesh, as the file has them."""

import importlib
import io
import re
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from av_envs.paths import suffix_of, user_path

FORMATS = (".obj", ".ply", ".glb", ".gltf", ".stl", ".dae")
DECLARED = {".glb": (1.0, "y"), ".gltf": (1.0, "y")}  # metres and y up, says glTF 2.0
PARSERS = ("collada", "PIL")  # what trimesh reads DAE files and pictures with
NO_COLOUR = (102, 102, 102)  # what trimesh gives to surfaces without one
# Weights of the corners at the four points of a triangle where its texture is read.
_SAMPLES = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]]) / [[3], [6], [6], [6]]


class Surfaces(NamedTuple):
    """The triangles of a file, in its own unit and axes.

    triangles  (T,3,3) float64, corners
    colour     (T,3) uint8, and coloured (T,) bool: whether the file says so
    part       (T,) int32, index into `names`
    names      of each part: its material's name, then its own; may be empty
    unit, up   metres per unit and "x", "y" or "z", None where the file does not say
    """

    triangles: np.ndarray
    colour: np.ndarray
    coloured: np.ndarray
    part: np.ndarray
    names: tuple[tuple[str, ...], ...]
    unit: float | None
    up: str | None


def read_surfaces(path: str | Path) -> Surfaces:
    """The triangles of a mesh file. An error names the file and what is wrong with it."""
    path = user_path(path)
    if suffix_of(path) not in FORMATS:
        raise ValueError(f"{path}: not a mesh file; formats are {', '.join(FORMATS)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    scene = _load(path)
    unit, up = _declared(path)
    parts = [_read_part(path, scene, node) for node in sorted(scene.graph.nodes_geometry)]
    parts = [part for part in parts if part is not None]
    if not parts:
        raise ValueError(f"{path}: holds no triangles")
    triangles, colours, names = zip(*parts, strict=True)
    colours = [
        np.full((len(t), 3), -1) if c is None else c
        for t, c in zip(triangles, colours, strict=True)
    ]
    colour = np.concatenate(colours)
    part = np.repeat(np.arange(len(parts), dtype=np.int32), [len(t) for t in triangles])
    coloured = colour[:, 0] >= 0
    return Surfaces(
        np.concatenate(triangles), colour.astype(np.uint8), coloured, part, names, unit, up
    )


def trimesh_module() -> ModuleType:
    """trimesh, or an error that says how to get it."""
    try:
        return importlib.import_module("trimesh")
    except ImportError as error:
        raise ImportError("reading meshes needs trimesh: pip install 'av-envs[mesh]'") from error


def _load(path: Path) -> Any:
    """A trimesh scene; whatever trimesh stumbles over becomes one error about the file."""
    trimesh = trimesh_module()
    try:
        if suffix_of(path) == ".obj":
            return _load_obj(trimesh, path)
        return trimesh.load_scene(path, process=False)
    except Exception as error:  # its parsers raise whatever comes up
        if isinstance(error, ImportError) and any(name in str(error) for name in PARSERS):
            raise ImportError(f"{path}: {error}; pip install 'av-envs[mesh]'") from error
        raise ValueError(f"{path}: cannot be read as a mesh: {error!r}") from error


def _load_obj(trimesh: ModuleType, path: Path) -> Any:
    """An OBJ file, with the names of its materials even where their file is missing."""
    text = path.read_text(encoding="utf-8", errors="replace")
    names = dict.fromkeys(re.findall(r"^usemtl[ \t]+(.+?)[ \t\r]*$", text, re.MULTILINE))
    if "mtllib" not in text:
        text = f"mtllib {path.stem}.mtl\n{text}"

    class Materials(trimesh.resolvers.FilePathResolver):
        def get(self, name: str) -> bytes:
            try:
                return super().get(name)
            except (OSError, ValueError):
                if not name.lower().endswith(".mtl"):
                    raise
                return "\n".join(f"newmtl {each}" for each in names).encode()

    return trimesh.load_scene(
        io.BytesIO(text.encode()),
        file_type="obj",
        resolver=Materials(str(path)),
        process=False,
        split_objects=True,
        split_groups=True,
    )


def _declared(path: Path) -> tuple[float | None, str | None]:
    """Metres per unit and the axis that points up, as far as the file says."""
    if suffix_of(path) != ".dae":
        return DECLARED.get(suffix_of(path), (None, None))
    head = path.read_bytes()[:8192].decode("utf-8", errors="replace")
    unit = re.search(r"<unit\b[^>]*\bmeter\s*=\s*[\"']([^\"']+)", head)
    axis = re.search(r"<up_axis>\s*([XYZ])_UP", head)
    return float(unit[1]) if unit else None, axis[1].lower() if axis else None


def _read_part(
    path: Path, scene: Any, node: str
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]] | None:
    """Triangles (F,3,3), colours (F,3) or None and the names of one part, None if it is empty."""
    transform, geometry = scene.graph[node]
    mesh = scene.geometry[geometry]
    faces = np.asarray(getattr(mesh, "faces", ()))  # point clouds and paths have none
    if len(faces) == 0:
        return None
    if faces.max() >= len(mesh.vertices):
        raise ValueError(f"{path}: part {node!r} refers to corners that do not exist")
    bad = ~np.isfinite(mesh.vertices).all(axis=1)[faces].all(axis=1)
    if bad.any():
        raise ValueError(f"{path}: {bad.sum()} triangles have corners that are not finite numbers")
    points = np.asarray(mesh.vertices, float) @ transform[:3, :3].T + transform[:3, 3]
    colours = _colours(mesh)
    if np.linalg.det(transform[:3, :3]) < 0:  # mirrored: what was left is right
        faces = faces[:, ::-1]
    material = getattr(getattr(mesh.visual, "material", None), "name", None) or ""
    own = {name: None for name in (node, geometry) if name != path.name}
    return points[faces], colours, tuple(filter(None, (str(material), " ".join(own))))


def _colours(mesh: Any) -> np.ndarray | None:
    """(F,3) red, green, blue in 0..255 of the faces, None where the file gives none."""
    visual = mesh.visual
    if visual.kind == "face":
        return np.asarray(visual.face_colors)[:, :3].astype(int)
    if visual.kind == "vertex":
        return np.asarray(visual.vertex_colors)[mesh.faces, :3].mean(axis=1).round().astype(int)
    if visual.kind != "texture":
        return None
    material = visual.material
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    factor = getattr(material, "baseColorFactor", None)
    if factor is None:
        factor = getattr(material, "diffuse", None)
        factor = None if factor is None or tuple(factor[:3]) == NO_COLOUR else factor
    if image is not None and visual.uv is not None:
        texels = _texels(np.asarray(image.convert("RGB")), np.asarray(visual.uv)[mesh.faces])
        tint = np.ones(3) if factor is None else np.asarray(factor)[:3] / 255
        return (texels * tint).round().astype(int)
    return (
        None
        if factor is None
        else np.tile(np.asarray(factor)[:3].astype(int), (len(mesh.faces), 1))
    )


def _texels(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(F,3) mean colour at four points of each triangle; uv (F,3,2), v upwards, repeating."""
    height, width = image.shape[:2]
    u, v = np.moveaxis(np.einsum("sc,fcd->fsd", _SAMPLES, uv), -1, 0) % 1.0
    columns = np.minimum((u * width).astype(int), width - 1)
    rows = np.minimum(((1 - v) * height).astype(int), height - 1)
    return image[rows, columns].mean(axis=1)
