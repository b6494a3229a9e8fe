"""Polygons as triangles, of which one with n corners has n - 2, whether convex or not."""

import numpy as np

FLAT = 1e-9  # of the squared size of a polygon: turns as slight as this are none


def triangulated(
    points: np.ndarray, corner: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The triangles of P polygons.

    points  (V,3) float64
    corner  (C,) index into `points`, polygon after polygon
    count   (P,) corners of each, at least 3

    Returns (T,3) index into `corner`, wound as the polygon, and (T,) the polygon's number.
    """
    start = np.cumsum(count) - count
    rows, owner = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)]
    for n in np.unique(count):
        polygons = np.flatnonzero(count == n)
        local = start[polygons, None] + np.arange(n)
        fan = np.stack([np.zeros(n - 2, int), np.arange(1, n - 1), np.arange(2, n)], axis=1)
        triangles = np.repeat(fan[None], len(polygons), axis=0)
        if n > 3:
            outlines = points[corner[local]]
            for k in np.flatnonzero(~_convex(outlines)):
                triangles[k] = _ears(outlines[k])
        rows.append((start[polygons, None, None] + triangles).reshape(-1, 3))
        owner.append(np.repeat(polygons, n - 2))
    owners = np.concatenate(owner)
    order = np.argsort(owners, kind="stable")
    return np.concatenate(rows)[order], owners[order]


def stripped(indices: np.ndarray) -> np.ndarray:
    """(n-2,3) triangles of a strip, every other one turned so that all face the same side."""
    triangles = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    triangles[1::2] = triangles[1::2, [1, 0, 2]]
    return triangles


def _normals(outlines: np.ndarray) -> np.ndarray:
    """(P,3) by Newell: twice the area as a vector."""
    spokes = outlines - outlines[:, :1]
    return np.cross(spokes, np.roll(spokes, -1, axis=1)).sum(axis=1)


def _convex(outlines: np.ndarray) -> np.ndarray:
    """(P,) bool, whether all corners of the polygons (P,n,3) turn the same way."""
    edges = np.roll(outlines, -1, axis=1) - outlines
    turns = np.cross(np.roll(edges, 1, axis=1), edges)
    along = np.einsum("pnk,pk->pn", turns, _normals(outlines))
    size = np.square(edges).sum(axis=(1, 2))
    return (along >= -FLAT * size[:, None] ** 2).all(axis=1)


def _ears(outline: np.ndarray) -> list[list[int]]:
    """N - 2 triangles of one polygon (n,3) by cutting off one ear after another."""
    normal = _normals(outline[None])[0]
    axis = int(np.abs(normal).argmax())
    flat = np.delete(outline, axis, axis=1) - outline[0].take([k for k in range(3) if k != axis])
    if (normal[axis] < 0) != (axis == 1):  # leaving out y mirrors
        flat = flat * [1, -1]
    points, left, triangles = flat.tolist(), list(range(len(flat))), []
    while len(left) > 3:
        k = next((k for k in range(len(left)) if _is_ear(points, left, k)), 0)
        triangles.append([left[k - 1], left[k], left[(k + 1) % len(left)]])
        del left[k]
    return [*triangles, left]


def _is_ear(points: list[list[float]], left: list[int], k: int) -> bool:
    before, tip, after = left[k - 1], left[k], left[(k + 1) % len(left)]
    a, b, c = points[before], points[tip], points[after]
    if _turn(a, b, c) <= 0:
        return False
    others = (points[i] for i in left if i not in (before, tip, after))
    return not any(
        p not in (a, b, c) and _turn(a, b, p) >= 0 and _turn(b, c, p) >= 0 and _turn(c, a, p) >= 0
        for p in others
    )


def _turn(a: list[float], b: list[float], c: list[float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
