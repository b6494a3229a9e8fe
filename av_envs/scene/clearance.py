"""Distance from points to the nearest surface."""

import numpy as np
from numba import njit


def distance_to_surfaces(points: np.ndarray, triangles: np.ndarray, cap: float) -> np.ndarray:
    """(N,) float32, metres from each point to the nearest triangle, `cap` if none is nearer.

    points     (N,3) float32, metres
    triangles  (T,3,3) float32, metres
    """
    return _distances(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(triangles, np.float32),
        triangles.min(axis=1),
        triangles.max(axis=1),
        np.float32(cap),
    )


@njit(cache=True, nogil=True, fastmath=True)
def _distances(points, triangles, low, high, cap):
    distances = np.empty(len(points), np.float32)
    for n in range(len(points)):
        p = points[n]
        best = cap * cap
        for k in range(len(triangles)):
            box = np.float32(0.0)
            for axis in range(3):
                gap = max(low[k, axis] - p[axis], p[axis] - high[k, axis], np.float32(0.0))
                box += gap * gap
            if box < best:
                best = min(best, _squared_distance(p, triangles[k]))
        distances[n] = np.sqrt(best)
    return distances


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _squared_distance(p, triangle):
    """Squared distance from a point to a triangle (Ericson, Real-Time Collision Detection, 5.1.5).

    The closest point is a corner, on an edge or inside; `v` and `w` weigh the corners b and c.
    """
    a, b, c = triangle[0], triangle[1], triangle[2]
    ab, ac, ap, bp, cp = (
        _between(a, b),
        _between(a, c),
        _between(a, p),
        _between(b, p),
        _between(c, p),
    )
    d1, d2 = _dot(ab, ap), _dot(ac, ap)
    d3, d4 = _dot(ab, bp), _dot(ac, bp)
    d5, d6 = _dot(ab, cp), _dot(ac, cp)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0 and d2 <= 0:
        v, w = 0.0, 0.0
    elif d3 >= 0 and d4 <= d3:
        v, w = 1.0, 0.0
    elif d6 >= 0 and d5 <= d6:
        v, w = 0.0, 1.0
    elif vc <= 0 and d1 >= 0 and d3 <= 0:
        v, w = d1 / (d1 - d3), 0.0
    elif vb <= 0 and d2 >= 0 and d6 <= 0:
        v, w = 0.0, d2 / (d2 - d6)
    elif va <= 0 and d4 >= d3 and d5 >= d6:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        v = 1.0 - w
    else:
        v, w = vb / (va + vb + vc), vc / (va + vb + vc)
    x, y, z = (
        ap[0] - v * ab[0] - w * ac[0],
        ap[1] - v * ab[1] - w * ac[1],
        ap[2] - v * ab[2] - w * ac[2],
    )
    return np.float32(x * x + y * y + z * z)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _between(a, b):
    return b[0] - a[0], b[1] - a[1], b[2] - a[2]


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
