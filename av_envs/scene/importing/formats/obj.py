"""Wavefront OBJ: positions, polygons, groups and materials."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from av_envs.scene.importing.formats.obj_materials import Look, read_materials
from av_envs.scene.importing.formats.pictures import texels
from av_envs.scene.importing.formats.polygons import triangulated
from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

# How surfaces are shaded or drawn, not where they are.
NOT_SHAPES = (
    "vn", "vp", "s", "mg", "bevel", "c_interp", "d_interp", "shadow_obj", "trace_obj", "ctech",
    "stech", "usemap", "maplib",
)  # fmt: skip
NO_SURFACES = {"p": "points", "l": "lines"}
REFUSED = {
    "free-form curves": ("curv", "curv2", "cstype"),
    "free-form surfaces": (
        "surf", "bmat", "deg", "step", "parm", "trim", "hole", "scrv", "sp", "con", "end",
    ),
    "patches of superseded versions": ("bzp", "bsp", "cdc", "cdp", "res"),
    "other files and programs to run": ("call", "csh"),
    "levels of detail": ("lod",),
}  # fmt: skip


class _Faces(NamedTuple):
    """Polygons as they are read, one entry each but for `corners`, strings like "1/2/3".

    positions, textures  numbers of v and vt before the polygon, which negative indices count from
    """

    corners: list[str]
    count: list[int]
    part: list[int]
    positions: list[int]
    textures: list[int]
    line: list[int]


class _Statements:
    """Parsed statements of a file."""

    def __init__(self, text: str):
        self.positions: list[list[str]] = []
        self.textures: list[list[str]] = []
        self.libraries: list[str] = []
        self.faces = _Faces([], [], [], [], [], [])
        self.parts: dict[tuple[str, str, str], int] = {}
        self.skipped: dict[str, int] = {}
        self._names = {"usemtl": "", "o": "", "g": ""}
        self._part: int | None = None
        for number, line in _lines(text):
            self._read(number, line.split())

    def _read(self, number: int, words: list[str]) -> None:
        word, *rest = words
        if word == "v":
            if len(rest) not in (3, 4, 6):
                raise ValueError(f"line {number}: v needs x, y, z, and a weight or a colour, or "
                                 f"none, got {len(rest)} numbers")  # fmt: skip
            self.positions.append(rest)
        elif word in ("f", "fo"):
            self._read_face(number, rest)
        elif word == "vt":
            self.textures.append(([*rest, "0"])[:2])
        elif word in self._names:
            self._names[word] = " ".join(rest)
            self._part = None
        elif word == "mtllib":
            self.libraries.append(" ".join(rest))
        elif word in NO_SURFACES:
            self.skipped[NO_SURFACES[word]] = self.skipped.get(NO_SURFACES[word], 0) + 1
        elif word not in NOT_SHAPES:
            known = next((what for what, names in REFUSED.items() if word in names), "statements")
            raise ValueError(f"line {number}: {word[:20]!r}: such {known} are not read")

    def _read_face(self, number: int, corners: list[str]) -> None:
        if len(corners) < 3:
            raise ValueError(f"line {number}: a face needs 3 corners, got {len(corners)}")
        if self._part is None:
            key = tuple(self._names.values())
            self._part = self.parts.setdefault(key, len(self.parts))
        faces = self.faces
        faces.corners.extend(corners)
        faces.count.append(len(corners))
        faces.part.append(self._part)
        faces.positions.append(len(self.positions))
        faces.textures.append(len(self.textures))
        faces.line.append(number)


def read_obj(path: Path) -> Surfaces:
    """The polygons of a file as triangles, a part for each material of each group."""
    stated = _Statements(path.read_text(encoding="utf-8-sig", errors="replace"))
    points, tints = _positions(stated.positions)
    looks, notes = read_materials(path.parent, stated.libraries)
    notes += [f"{n} {what} are not read" for what, n in stated.skipped.items()]
    count = np.array(stated.faces.count, np.int64)
    corner, texture = _corners(stated, len(points))
    rows, owner = triangulated(points, corner, count)
    part = np.array(stated.faces.part, np.int64)[owner]
    uv = np.array(stated.textures, float).reshape(-1, 2)
    parts = []
    for (material, *own), number in stated.parts.items():
        of_it = rows[part == number]
        colours = _colours(looks.get(material), uv, texture[of_it])
        if colours is None and tints is not None:
            colours = tints[corner[of_it]].mean(axis=1)
            colours = None if np.isnan(colours).any() else colours
        name = " ".join(dict.fromkeys(filter(None, own)))
        names = tuple(filter(None, (material, name)))
        parts.append(Part(points[corner[of_it]], colours, names))
    return surfaces_of(parts, notes=notes)


def _lines(text: str):
    """Number and content of each line; one that ends with a backslash goes on in the next."""
    number, pieces = 0, []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.partition("#")[0].rstrip()
        if line.endswith("\\"):
            pieces.append(line[:-1])
            continue
        if pieces:
            line, pieces = " ".join((*pieces, line)), []
        if line and not line.isspace():
            yield number, line
    if pieces:
        raise ValueError(f"line {number}: the last line is to go on, but there is no more")


def _positions(stated: list[list[str]]) -> tuple[np.ndarray, np.ndarray | None]:
    """(V,3) positions, and (V,3) colours 0..255, nan for positions without; None if all are."""
    lengths = np.array([len(words) for words in stated], int)
    try:
        points = np.array(
            [(float(x), float(y), float(z)) for x, y, z, *_ in stated], float
        ).reshape(-1, 3)
        tints = np.array([[float(word) for word in words[3:]] for words in stated
                          if len(words) == 6])  # fmt: skip
    except ValueError as error:
        raise ValueError(f"a position is no number: {error}") from None
    if not len(tints):
        return points, None
    colours = np.full(points.shape, np.nan)
    colours[lengths == 6] = tints * 255 if tints.max() <= 1 else tints
    return points, colours


def _corners(stated: _Statements, n_points: int) -> tuple[np.ndarray, np.ndarray]:
    """(C,) index of the position of each corner, and of its texture coordinate or -1."""
    faces = stated.faces
    plain = not any("/" in corner for corner in faces.corners)
    split = [] if plain else [corner.split("/") for corner in faces.corners]
    line = np.repeat(np.array(faces.line, np.int64), faces.count)
    before = np.repeat(np.array(faces.positions, np.int64), faces.count)
    position = _indices(faces.corners if plain else [each[0] for each in split], line)
    corner = np.where(position < 0, before + position, position - 1)
    _check_range("position", position, corner, n_points, line)
    if plain or not stated.textures:
        return corner, np.full(len(corner), -1)
    given = _indices([each[1] if len(each) > 1 and each[1] else "0" for each in split], line)
    before = np.repeat(np.array(faces.textures, np.int64), faces.count)
    texture = np.where(given < 0, before + given, given - 1)
    wrong = given != 0
    _check_range("vt", given[wrong], texture[wrong], len(stated.textures), line[wrong])
    return corner, texture


def _indices(words: list[str], line: np.ndarray) -> np.ndarray:
    try:
        return np.array([int(word) for word in words], dtype=np.int64)
    except (ValueError, OverflowError):
        wrong = next(k for k, word in enumerate(words) if not re.fullmatch(r"[+-]?\d{1,18}", word))
        raise ValueError(f"line {line[wrong]}: {words[wrong]!r} is no index") from None


def _check_range(what: str, given: np.ndarray, index: np.ndarray, n: int, line: np.ndarray) -> None:
    wrong = (given == 0) | (index < 0) | (index >= n)
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(f"line {line[k]}: corners that do not exist: there is no {what} "
                         f"{given[k]}, the file has {n}")  # fmt: skip


def _colours(look: Look | None, uv: np.ndarray, texture: np.ndarray) -> np.ndarray | None:
    """(F,3) 0..255 by a material's picture or colour; None if it has neither."""
    if look is None:
        return None
    tint = np.ones(3) if look.colour is None else np.array(look.colour)
    if look.picture is not None and len(texture) and (texture >= 0).all():
        return texels(look.picture, uv[texture] * look.scale + look.offset) * tint
    return None if look.colour is None else np.tile(255 * tint, (len(texture), 1))
