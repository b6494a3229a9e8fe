"""Triangles of SDF shapes that are given by parameters; they face outwards."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from av_envs.scene.importing.formats.polygons import triangulated
from av_envs.scene.importing.sdf_frames import numbers

SIDES = 24  # of what is round
SHAPES = ("box", "cylinder", "sphere", "ellipsoid", "polyline")


def shape_triangles(path: Path, shape: ElementTree.Element) -> np.ndarray:
    """(T,3,3) metres of one of SHAPES, about its own origin."""
    what = f"<{shape.tag}>"
    if shape.tag == "box":
        return _box(_positive(path, f"size of {what}", shape.findtext("size", "1 1 1"), 3))
    if shape.tag == "polyline":
        return _extruded(path, shape)
    if shape.tag == "ellipsoid":
        return _ball(_positive(path, f"radii of {what}", shape.findtext("radii", "1 1 1"), 3))
    radius = _positive(path, f"radius of {what}", shape.findtext("radius", "1"), 1)[0]
    if shape.tag == "sphere":
        return _ball(np.full(3, radius))
    length = _positive(path, f"length of {what}", shape.findtext("length", "1"), 1)[0]
    turn = np.arange(SIDES) * (2 * np.pi / SIDES)
    outline = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return _prism(outline, -length / 2, length / 2)


def _positive(path: Path, what: str, text: str, count: int) -> np.ndarray:
    values = numbers(path, what, text, count)
    if not (values > 0).all():
        raise ValueError(f"{path}: {what} must be positive, got {text!r}")
    return values


def _box(size: np.ndarray) -> np.ndarray:
    x, y, z = size / 2
    return _prism(np.array([(-x, -y), (x, -y), (x, y), (-x, y)]), -z, z)


def _ball(radii: np.ndarray) -> np.ndarray:
    turn = np.arange(SIDES) * (2 * np.pi / SIDES)
    tilt = np.linspace(-np.pi / 2, np.pi / 2, SIDES // 2 + 1)[:, None]
    ring = np.stack(np.broadcast_arrays(
        np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)
    ), axis=-1)  # fmt: skip
    beside = np.roll(ring, -1, axis=1)
    quads = np.stack([ring[:-1], beside[:-1], beside[1:], ring[1:]], axis=2).reshape(-1, 4, 3)
    return radii * quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3)


def _extruded(path: Path, shape: ElementTree.Element) -> np.ndarray:
    what = "point of <polyline>"
    points = [numbers(path, what, each.text or "", 2) for each in shape.findall("point")]
    height = _positive(path, "height of <polyline>", shape.findtext("height", "1"), 1)[0]
    outline = np.array(points).reshape(-1, 2)
    if len(outline) > 1 and (outline[0] == outline[-1]).all():
        outline = outline[:-1]
    if len(outline) < 3:
        raise ValueError(f"{path}: a <polyline> needs 3 points, got {len(outline)}")
    after = np.roll(outline, -1, axis=0)
    left = np.sum(outline[:, 0] * after[:, 1] - outline[:, 1] * after[:, 0])
    return _prism(outline if left > 0 else outline[::-1], 0.0, height)


def _prism(outline: np.ndarray, low: float, high: float) -> np.ndarray:
    """Prism over an outline (n,2), counter-clockwise."""
    n = len(outline)
    bottom, top = (np.column_stack([outline, np.full(n, height)]) for height in (low, high))
    quads = np.stack([bottom, np.roll(bottom, -1, axis=0), np.roll(top, -1, axis=0), top], axis=1)
    sides = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3)
    rows, _ = triangulated(top, np.arange(n), np.array([n]))
    return np.concatenate([sides, top[rows], bottom[rows[:, ::-1]]])
