"""COLLADA by trimesh, compared with what the file declares."""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np

from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

PARSERS = ("collada", "PIL", "lxml")  # what trimesh reads the files and their pictures with
NO_COLOUR = (102, 102, 102)  # what trimesh gives to surfaces without one
NO_SURFACES = ("lines", "linestrips")
REFUSED = ("controller", "spline", "brep", "convex_mesh")  # skins, morphs, curved surfaces
DEEPEST = 1000  # nodes below each other


def trimesh_module() -> ModuleType:
    """trimesh, or an error that says how to get it."""
    try:
        return importlib.import_module("trimesh")
    except ImportError as error:
        raise ImportError("reading DAE needs trimesh: pip install -e '.[mesh]'") from error


def read_dae(path: Path) -> Surfaces:
    """The triangles of a file, a part for each primitive of each node."""
    trimesh = trimesh_module()
    root = _parsed(path)
    for name in REFUSED:
        if next(root.iter(name), None) is not None:
            raise ValueError(f"<{name}> is not read; export surfaces as triangles")
    declared = _declared_triangles(root)
    try:
        scene = trimesh.load_scene(path, process=False)
    except Exception as error:  # its parsers raise whatever comes up
        if isinstance(error, ImportError) and any(name in str(error) for name in PARSERS):
            raise ImportError(f"{error}; pip install -e '.[mesh]'") from error
        raise ValueError(repr(error)) from error
    parts = [_part(path, scene, node) for node in sorted(scene.graph.nodes_geometry)]
    found = sum(len(part.triangles) for part in parts)
    if found != declared:
        raise ValueError(f"it declares {declared} triangles, {found} were read")
    notes = [f"<{name}> are not read" for name in NO_SURFACES if any(root.iter(name))]
    return surfaces_of(parts, _unit(root), _up(root), notes)


def _parsed(path: Path) -> ElementTree.Element:
    """Its XML, names without their namespaces."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not XML: {error}") from None
    for element in root.iter():
        element.tag = re.sub(r"^\{.*\}", "", str(element.tag))
    return root


def _unit(root: ElementTree.Element) -> float | None:
    unit = root.find("asset/unit")
    metres = None if unit is None else unit.get("meter")
    return None if metres is None else float(metres)


def _up(root: ElementTree.Element) -> str | None:
    axis = (root.findtext("asset/up_axis") or "").strip()
    return axis[0].lower() if axis in ("X_UP", "Y_UP", "Z_UP") else None


def _declared_triangles(root: ElementTree.Element) -> int:
    """Number of triangles in all nodes of its scene."""
    of_geometry = {
        each.get("id"): sum(_triangles_of(p) for mesh in each.findall("mesh") for p in mesh)
        for each in root.iter("geometry")
    }
    nodes = {each.get("id"): each for each in root.iter("node") if each.get("id")}
    shown = [each.get("url", "")[1:] for each in root.iter("instance_visual_scene")]
    scenes = [each for each in root.iter("visual_scene") if each.get("id") in shown]
    waiting = [(node, 0) for scene in scenes for node in scene.findall("node")]
    total = 0
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError(f"the node {node.get('id')!r} is below itself")
        for each in node.findall("instance_geometry"):
            total += of_geometry.get(each.get("url", "")[1:], 0)
        below = [nodes.get(each.get("url", "")[1:]) for each in node.findall("instance_node")]
        waiting += [(each, depth + 1) for each in (*node.findall("node"), *below)
                    if each is not None]  # fmt: skip
    return total


def _triangles_of(primitive: ElementTree.Element) -> int:
    if primitive.tag == "triangles":
        return int(primitive.get("count", 0))
    if primitive.tag == "polylist":
        return sum(int(n) - 2 for n in (primitive.findtext("vcount") or "").split())
    if primitive.tag in ("polygons", "trifans", "tristrips"):
        offsets = [int(each.get("offset", 0)) for each in primitive.findall("input")]
        width = max(offsets, default=0) + 1
        return sum(len((p.text or "").split()) // width - 2 for p in primitive.findall("p"))
    return 0


def _part(path: Path, scene: Any, node: str) -> Part:
    transform, geometry = scene.graph[node]
    mesh = scene.geometry[geometry]
    faces = np.asarray(getattr(mesh, "faces", ()), np.int64).reshape(-1, 3)  # lines have none
    if not len(faces):
        return Part(np.empty((0, 3, 3)), None, ())
    if faces.min() < 0 or faces.max() >= len(mesh.vertices):
        raise ValueError(f"part {node!r} refers to corners that do not exist")
    points = np.asarray(mesh.vertices, float) @ transform[:3, :3].T + transform[:3, 3]
    colours = _colours(mesh)
    if np.linalg.det(transform[:3, :3]) < 0:  # mirrored: what was left is right
        faces = faces[:, ::-1]
    material = getattr(getattr(mesh.visual, "material", None), "name", None) or ""
    own = {name: None for name in (node, geometry) if name != path.name}
    return Part(points[faces], colours, tuple(filter(None, (str(material), " ".join(own)))))


def _colours(mesh: Any) -> np.ndarray | None:
    """(F,3) 0..255 of the faces, None where the file gives none."""
    visual = mesh.visual
    if visual.kind == "face":
        return np.asarray(visual.face_colors)[:, :3]
    if visual.kind == "vertex":
        return np.asarray(visual.vertex_colors)[mesh.faces, :3].mean(axis=1)
    if visual.kind != "texture":
        return None
    factor = getattr(visual.material, "diffuse", None)
    if factor is None or tuple(factor[:3]) == NO_COLOUR:
        factor = getattr(visual.material, "baseColorFactor", None)
    return None if factor is None else np.tile(np.asarray(factor)[:3], (len(mesh.faces), 1))
