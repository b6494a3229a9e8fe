"""PLY: polygons and strips, with colours of faces, corners or a texture."""

import re
from pathlib import Path

import numpy as np

from av_envs.scene.importing.formats.pictures import read_picture, texels
from av_envs.scene.importing.formats.ply_elements import (
    Element,
    Header,
    Values,
    read_header,
    read_values,
)
from av_envs.scene.importing.formats.polygons import stripped, triangulated
from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

AXES = ("x", "y", "z")
NO_SURFACES = ("edge", "camera", "material", "user")  # elements that are left out
LISTS = ("vertex_indices", "vertex_index")  # names of the list that makes a polygon or a strip
PREFIXES = ("", "diffuse_")  # of red, green, blue
UV = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
FULL = {"u1": 255, "u2": 65535, "f4": 1, "f8": 1}  # what white is, by type


def read_ply(path: Path) -> Surfaces:
    """The polygons and strips of a file as triangles, in one part without a name."""
    data = path.read_bytes()
    header = read_header(data)
    notes = _check_elements(header)
    found = read_values(data, header)
    elements = {element.name: element for element in header.elements}
    missing = [a for a in AXES if a not in found.get("vertex", Values({}, {})).scalars]
    if missing:
        raise ValueError(f"its vertices have no {', '.join(missing)}")
    vertices = found["vertex"].scalars
    points = np.stack([vertices[axis] for axis in AXES], axis=1)
    corner, count = _polygons(elements.get("face"), found.get("face"), len(points))
    rows, owner = triangulated(points, corner, count)
    strips = _strips(elements.get("tristrips"), found.get("tristrips"), len(points))
    used = np.concatenate([corner[rows], strips])
    tints = _tints(elements["vertex"], vertices)
    colours = None if tints is None else tints[used].mean(axis=1)
    if "face" in found and not len(strips):
        own = _tints(elements["face"], found["face"].scalars)
        colours = colours if own is None else own[owner]
        uv = _texture_coordinates(vertices, found["face"], count, corner)
        if colours is None and uv is not None:
            colours = _pictured(path, header, uv[rows], notes)
    return surfaces_of([Part(points[used], colours, ())], notes=notes)


def _check_elements(header: Header) -> list[str]:
    """Notes on what is left out; anything that might be a surface is refused by name."""
    names = [element.name for element in header.elements]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"its header declares {', '.join(doubled)} more than once")
    notes = []
    for name in names:
        if name in NO_SURFACES:
            notes.append(f"the elements {name!r} are not read")
        elif name not in ("vertex", "face", "tristrips"):
            raise ValueError(f"its elements {name!r} are not read; "
                             "vertex, face and tristrips are")  # fmt: skip
    return notes


def _list_of(element: Element, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Indices (C,) float64 and lengths of the lists that make polygons or strips."""
    for each in element.properties:
        if each.name in LISTS and each.counted_by:
            if each.type[0] == "f":
                raise ValueError(f"the {each.name} of {element.name!r} are no whole numbers")
            return values.lists[each.name]
    kinds = ", ".join(p.name for p in element.properties) or "nothing"
    raise ValueError(f"the elements {element.name!r} have {kinds}; "
                     f"a list called {' or '.join(LISTS)} is read")  # fmt: skip


def _polygons(
    element: Element | None, values: Values | None, n_points: int
) -> tuple[np.ndarray, np.ndarray]:
    if element is None or not element.count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    indices, count = _list_of(element, values)
    if (count < 3).any():
        k = int((count < 3).argmax())
        raise ValueError(f"the face {k} has {count[k]} corners, 3 are needed")
    owner = np.repeat(np.arange(len(count)), count)
    _check_range(indices, n_points, "face", owner)
    return indices.astype(np.int64), count


def _strips(element: Element | None, values: Values | None, n_points: int) -> np.ndarray:
    """(T,3) indices of the triangles of all strips; -1 ends a strip and begins another."""
    triangles = [np.empty((0, 3), np.int64)]
    if element is not None and element.count:
        indices, count = _list_of(element, values)
        owner = np.repeat(np.arange(len(count)), count)
        whole = indices != -1
        _check_range(indices[whole], n_points, "strip", owner[whole])
        for strip in np.split(indices.astype(np.int64), np.cumsum(count)[:-1]):
            for piece in np.split(strip, np.flatnonzero(strip == -1)):
                piece = piece[piece >= 0]
                if len(piece) > 2:
                    triangles.append(stripped(piece))
    return np.concatenate(triangles)


def _check_range(indices: np.ndarray, n_points: int, what: str, owner: np.ndarray) -> None:
    wrong = ~((indices >= 0) & (indices < n_points))
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(f"the {what} {owner[k]} has corners that do not exist: there is no "
                         f"vertex {indices[k]:.0f}, the file has {n_points}")  # fmt: skip


def _tints(element: Element, scalars: dict[str, np.ndarray]) -> np.ndarray | None:
    """(n,3) colours 0..255 of vertices or faces, None if they have none."""
    types = {each.name: each.type for each in element.properties}
    for prefix in PREFIXES:
        names = [prefix + colour for colour in ("red", "green", "blue")]
        if all(name in scalars for name in names):
            kinds = {types[name] for name in names}
            unknown = sorted(kinds - set(FULL))
            if unknown:
                raise ValueError(f"colours of the type {unknown[0]!r} are not read")
            full = FULL[kinds.pop()]
            return np.stack([scalars[name] for name in names], axis=1) * (255 / full)
    return None


def _texture_coordinates(
    vertices: dict[str, np.ndarray], faces: Values, count: np.ndarray, corner: np.ndarray
) -> np.ndarray | None:
    """(C,2) of each corner, None if there are none."""
    if "texcoord" in faces.lists:
        values, lengths = faces.lists["texcoord"]
        return values.reshape(-1, 2) if (lengths == 2 * count).all() else None
    for u, v in UV:
        if u in vertices and v in vertices:
            return np.stack([vertices[u], vertices[v]], axis=1)[corner]
    return None


def _pictured(path: Path, header: Header, uv: np.ndarray, notes: list[str]) -> np.ndarray | None:
    """(F,3) 0..255 by the picture that a comment names; None without."""
    stated = [re.match(r"TextureFile\s+(.+)", comment) for comment in header.comments]
    names = [match[1].strip() for match in stated if match]
    if not names:
        return None
    file = path.parent / names[0]
    picture = read_picture(file, names[0]) if len(names) == 1 and file.is_file() else None
    if picture is None:
        notes.append(f"of the pictures {', '.join(names)} none is read: one that is there would be")
        return None
    return texels(picture, uv)
