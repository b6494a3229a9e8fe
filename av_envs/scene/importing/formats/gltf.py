"""glTF and GLB: the triangles of the scene that a file shows, each where its node puts it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from av_envs.scene.importing.formats.gltf_file import Gltf, refuse_extensions
from av_envs.scene.importing.formats.gltf_look import Looks
from av_envs.scene.importing.formats.polygons import stripped
from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

POINTS, LINES, LINE_LOOP, LINE_STRIP, TRIANGLES, STRIP, FAN = range(7)
NO_SURFACES = {POINTS: "points", LINES: "lines", LINE_LOOP: "lines", LINE_STRIP: "lines"}
METRES, UP = 1.0, "y"  # says glTF 2.0
DEEPEST = 1000  # nodes below each other


def read_gltf(path: Path) -> Surfaces:
    """The triangles of a file, a part for each primitive of each node."""
    file = Gltf(path)
    looks = Looks(file)
    notes = _notes(file)
    parts = []
    for number, matrix in _placed(file):
        node = file.item("nodes", number)
        mesh = file.item("meshes", node["mesh"])
        where = f"nodes[{number}]"
        if "skin" in node:
            raise ValueError(f"{where} has a skin: surfaces bent by bones are not read")
        weights = node.get("weights", mesh.get("weights")) or []
        own = " ".join(dict.fromkeys(filter(None, (node.get("name"), mesh.get("name")))))
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", TRIANGLES)
            if mode in NO_SURFACES:
                notes.append(f"the {NO_SURFACES[mode]} of meshes[{node['mesh']}] are not read")
                continue
            if "targets" in primitive and np.any(weights):
                raise ValueError(f"{where} has morph targets of weights {weights}: not read")
            corners, faces = _triangles(file, f"meshes[{node['mesh']}]", primitive, mode)
            points = corners @ matrix[:3, :3].T + matrix[:3, 3]
            if np.linalg.det(matrix[:3, :3]) < 0:  # mirrored: what was left is right
                faces = faces[:, ::-1]
            name, colours = looks.of(primitive, faces)
            parts.append(Part(points[faces], colours, tuple(filter(None, (name, own)))))
    return surfaces_of(parts, METRES, UP, (*notes, *looks.notes))


def _notes(file: Gltf) -> list[str]:
    scenes = file.items("scenes")
    notes = []
    if len(scenes) > 1:
        shown = _shown(file)
        notes.append(f"of its {len(scenes)} scenes only scenes[{shown}] is read")
    if file.items("animations"):
        notes.append(f"its {len(file.items('animations'))} animations are not played")
    return notes


def _shown(file: Gltf) -> int:
    return file.content.get("scene", 0)


def _placed(file: Gltf) -> Iterator[tuple[int, np.ndarray]]:
    """Nodes with a mesh in the scene that is shown, and where they put it, (4,4)."""
    if file.items("scenes"):
        roots = file.item("scenes", _shown(file)).get("nodes", [])
    else:
        below = {child for node in file.items("nodes") for child in node.get("children", [])}
        roots = [k for k in range(len(file.items("nodes"))) if k not in below]
    waiting = [(number, np.eye(4), 0) for number in reversed(roots)]
    seen = set()
    while waiting:
        number, outer, depth = waiting.pop()
        node = file.item("nodes", number)
        if number in seen or depth > DEEPEST:
            raise ValueError(f"nodes[{number}] is below two nodes or below itself")
        seen.add(number)
        refuse_extensions(f"nodes[{number}]", node)
        matrix = outer @ _matrix(number, node)
        if "mesh" in node:
            yield number, matrix
        waiting += [(child, matrix, depth + 1) for child in reversed(node.get("children", []))]


def _matrix(number: int, node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        matrix = np.array(node["matrix"], float).reshape(4, 4).T
    else:
        matrix = np.eye(4)
        turn = np.array(node.get("rotation", (0, 0, 0, 1)), float)
        if turn.shape != (4,) or not np.linalg.norm(turn) > 0:
            raise ValueError(f"the rotation of nodes[{number}] is no quaternion: {turn.tolist()}")
        scale = np.array(node.get("scale", (1, 1, 1)), float)
        matrix[:3, :3] = Rotation.from_quat(turn).as_matrix() * scale
        matrix[:3, 3] = node.get("translation", (0, 0, 0))
    if not np.isfinite(matrix).all():
        raise ValueError(f"nodes[{number}] is placed by numbers that are not finite")
    return matrix


def _triangles(
    file: Gltf, where: str, primitive: dict[str, Any], mode: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (V,3) float64 and faces (F,3) of a primitive."""
    attributes = primitive["attributes"]
    if "POSITION" not in attributes:
        raise ValueError(f"{where} has no POSITION")
    needed = [file.item("accessors", attributes["POSITION"])]
    if "indices" in primitive:
        needed.append(file.item("accessors", primitive["indices"]))
    refuse_extensions(where, primitive, not all("bufferView" in each for each in needed))
    points = file.array(attributes["POSITION"]).astype(float)
    if points.shape[1] != 3:
        raise ValueError(f"POSITION of {where} has {points.shape[1]} numbers, 3 are needed")
    indices = np.arange(len(points))
    if "indices" in primitive:
        indices = file.array(primitive["indices"])[:, 0].astype(np.int64)
    if len(indices) and (indices.min() < 0 or indices.max() >= len(points)):
        raise ValueError(f"{where} refers to corners that do not exist: {indices.max()} "
                         f"of {len(points)}")  # fmt: skip
    if mode == STRIP:
        return points, stripped(indices)
    if mode == FAN:
        first = np.full(max(len(indices) - 2, 0), indices[0] if len(indices) else 0)
        return points, np.stack([first, indices[1:-1], indices[2:]], axis=1)
    if mode != TRIANGLES:
        raise ValueError(f"{where} has the mode {mode}, which is none of 0..{FAN}")
    if len(indices) % 3:
        raise ValueError(f"{where} has {len(indices)} corners, which make no whole triangles")
    return points, indices.reshape(-1, 3)
