"""Geometric queries of a mesh: floors, free space for a body, distance to surfaces.

numba kernels on the tree of `av_envs.scene.bvh`, without the interpreter lock.
"""

import numpy as np
from numba import njit

from av_envs.scene.bvh import MAX_DEPTH, closest_hit
from av_envs.scene.clearance import _squared_distance
from av_envs.scene.navigation import BODY_RADIUS

BODY_HEIGHT = 1.7  # m of free air over a floor; ears are at 1.5
STEP_HEIGHT = 0.2  # m that a body climbs at once: sills, rugs, the steps of stairs
KNEE_HEIGHT = 0.4  # m: lower things keep away only the narrower foot, or stairs had no place
FOOT_RADIUS = 0.125  # m
FLATTEST = 0.7  # least vertical part of the normal of a floor: slopes up to 45 degrees
MOST_FLOORS = 12  # one above the other
MOST_SURFACES = 512  # that a column is followed through

# How the two ends of a column of air face: each other, away from each other, or neither.
INTO_AIR, OUT_OF_SOLID, MIXED = range(3)


@njit(cache=True, nogil=True)
def floors_below(bvh, normals, xs, ys, top, height):
    """Places to stand on each vertical line: (n,) column, (n,) z, (n,) covered, (n,) facing.

    xs, ys   (C,) metres, of the columns
    top      metres, above everything
    height   metres of free air that a floor needs
    covered  whether any surface is above; facing  one of INTO_AIR, OUT_OF_SOLID, MIXED
    """
    room = len(xs) * 2 + 16
    column, z = np.empty(room, np.int64), np.empty(room, np.float32)
    covered, facing = np.empty(room, np.bool_), np.empty(room, np.int8)
    n = 0
    for c in range(len(xs)):
        above, above_z, start, n_floors = np.float32(np.inf), np.float32(0), np.float32(0), 0
        for _ in range(MOST_SURFACES):
            t, k = closest_hit(bvh, xs[c], ys[c], top, 0.0, 0.0, -1.0, start, np.float32(1e9))
            if k < 0 or n_floors == MOST_FLOORS:
                break
            level, nz = np.float32(top) - t, normals[k, 2]
            if above - level >= height and abs(nz) > FLATTEST:
                if n == len(column):
                    column, z = _doubled(column), _doubled(z)
                    covered, facing = _doubled(covered), _doubled(facing)
                column[n], z[n], covered[n] = c, level, np.isfinite(above)
                facing[n] = MIXED
                if nz > 0 and above_z <= 0:
                    facing[n] = INTO_AIR
                elif nz < 0 and above_z > 0:
                    facing[n] = OUT_OF_SOLID
                n, n_floors = n + 1, n_floors + 1
            above, above_z, start = level, nz, t + np.float32(1e-4)
    return column[:n], z[:n], covered[:n], facing[:n]


@njit(forceinline=True)
def _doubled(values):
    return np.concatenate((values, values))


@njit(cache=True, nogil=True)
def bodies_fit(bvh, xs, ys, zs):
    """(n,) bool, whether a body can stand at each (x, y) on the floor at z.

    It is an upright cylinder of BODY_RADIUS from the knees up, of FOOT_RADIUS below.
    """
    fits = np.empty(len(xs), np.bool_)
    stack = np.empty(MAX_DEPTH + 2, np.int64)
    for i in range(len(xs)):
        head, knee, foot = zs[i] + BODY_HEIGHT, zs[i] + KNEE_HEIGHT, zs[i] + STEP_HEIGHT
        fits[i] = not (
            _touched(bvh, stack, xs[i], ys[i], knee, head, BODY_RADIUS)
            or _touched(bvh, stack, xs[i], ys[i], foot, knee, FOOT_RADIUS)
        )
    return fits


@njit(cache=True, nogil=True)
def nearest_surfaces(bvh, points, cap):
    """(N,) float32, metres from each point (N,3) to the nearest triangle, at most `cap`."""
    distances = np.empty(len(points), np.float32)
    stack = np.empty(MAX_DEPTH + 2, np.int64)
    corners = np.empty((3, 3), np.float32)
    for i in range(len(points)):
        p = points[i]
        best, height, stack[0] = np.float32(cap * cap), 1, 0
        while height:
            height -= 1
            node = stack[height]
            gap = np.float32(0)
            for axis in range(3):
                box = bvh.boxes[node]
                side = max(box[axis] - p[axis], p[axis] - box[axis + 3], np.float32(0))
                gap += side * side
            if gap >= best:
                continue
            first = bvh.first[node]
            if bvh.count[node] == 0:
                stack[height], stack[height + 1] = first, first + 1
                height += 2
            for k in range(first, first + bvh.count[node]):
                for axis in range(3):
                    corners[0, axis] = bvh.triangles[k, axis]
                    corners[1, axis] = bvh.triangles[k, axis] + bvh.triangles[k, 3 + axis]
                    corners[2, axis] = bvh.triangles[k, axis] + bvh.triangles[k, 6 + axis]
                best = min(best, _squared_distance(p, corners))
        distances[i] = np.sqrt(best)
    return distances


@njit(cache=True, nogil=True, forceinline=True)
def _touched(bvh, stack, x, y, low, high, radius):
    """Whether anything is within `radius` of the vertical line at (x, y), `low` to `high`."""
    height, stack[0] = 1, 0
    while height:
        height -= 1
        node = stack[height]
        box = bvh.boxes[node]
        if box[2] > high or box[5] < low:
            continue
        if box[0] > x + radius or box[3] < x - radius:
            continue
        if box[1] > y + radius or box[4] < y - radius:
            continue
        first = bvh.first[node]
        if bvh.count[node] == 0:
            stack[height], stack[height + 1] = first, first + 1
            height += 2
        for k in range(first, first + bvh.count[node]):
            if _triangle_near(bvh.triangles[k], x, y, low, high, radius):
                return True
    return False


@njit(cache=True, nogil=True, forceinline=True)
def _triangle_near(t, x, y, low, high, radius):
    """Whether the part of a triangle between two heights comes within `radius` of (x, y)."""
    polygon = np.empty((7, 3))
    for axis in range(3):
        polygon[0, axis] = t[axis]
        polygon[1, axis] = t[axis] + t[3 + axis]
        polygon[2, axis] = t[axis] + t[6 + axis]
    if max(polygon[0, 2], polygon[1, 2], polygon[2, 2]) <= low:
        return False
    if min(polygon[0, 2], polygon[1, 2], polygon[2, 2]) >= high:
        return False
    n = _cut(polygon, 3, low, 1.0)
    n = _cut(polygon, n, high, -1.0)
    left, right = True, True  # of every edge: then (x, y) is inside
    for i in range(n):
        ax, ay = polygon[i, 0], polygon[i, 1]
        bx, by = polygon[(i + 1) % n, 0] - ax, polygon[(i + 1) % n, 1] - ay
        px, py = x - ax, y - ay
        side = bx * py - by * px
        left, right = left and side > 0, right and side < 0
        along = min(max((px * bx + py * by) / max(bx * bx + by * by, 1e-18), 0.0), 1.0)
        if (px - along * bx) ** 2 + (py - along * by) ** 2 < radius * radius:
            return True
    return n > 2 and (left or right)


@njit(cache=True, nogil=True, forceinline=True)
def _cut(polygon, n, height, sign):
    """Keep what lies above a height (sign 1) or below it (-1), in place; the number of corners."""
    kept = np.empty((7, 3))
    m = 0
    for i in range(n):
        a, b = polygon[i], polygon[(i + 1) % n]
        da, db = sign * (a[2] - height), sign * (b[2] - height)
        if da >= 0:
            kept[m] = a
            m += 1
        if da * db < 0:
            kept[m] = a + (b - a) * (da / (da - db))
            m += 1
    polygon[:m] = kept[:m]
    return m


@njit(cache=True, nogil=True)
def level_steps(column, z, nx, ny, climb):
    """(F,4) int32: the floor that one goes on to from each floor, by heading, -1 for none.

    column  (F,) sorted, ix * ny + iy of the raster; z (F,) metres; climb  m up or down at most
    Where several floors are in reach, the nearest in height are joined if each is nearest
    to the other.
    """
    first = np.searchsorted(column, np.arange(nx * ny + 1))
    steps = np.full((len(column), 4), -1, np.int32)
    for f in range(len(column)):
        ix, iy = column[f] // ny, column[f] % ny
        for heading in range(2):
            if (heading == 0 and ix + 1 == nx) or (heading == 1 and iy + 1 == ny):
                continue
            there = column[f] + (ny if heading == 0 else 1)
            other = _nearest_level(z, first[there], first[there + 1], z[f], climb)
            if other < 0:
                continue
            back = _nearest_level(z, first[column[f]], first[column[f] + 1], z[other], climb)
            if back == f:
                steps[f, heading], steps[other, heading + 2] = other, f
    return steps


@njit(cache=True, nogil=True)
def stepped_over(column, z, nx, ny, climb):
    """Holes that a foot passes over: (m,) column without floor, (m,) the floor beside it.

    Two floors on opposite sides are at the same level; arguments as for `level_steps`.
    """
    first = np.searchsorted(column, np.arange(nx * ny + 1))
    hole, beside = np.empty(2 * len(column), np.int64), np.empty(2 * len(column), np.int64)
    n = 0
    for f in range(len(column)):
        ix, iy = column[f] // ny, column[f] % ny
        for heading in range(2):
            if (heading == 0 and ix + 2 >= nx) or (heading == 1 and iy + 2 >= ny):
                continue
            step = ny if heading == 0 else 1
            middle, far = column[f] + step, column[f] + 2 * step
            if _nearest_level(z, first[middle], first[middle + 1], z[f], climb) >= 0:
                continue
            if _nearest_level(z, first[far], first[far + 1], z[f], climb) >= 0:
                hole[n], beside[n] = middle, f
                n += 1
    return hole[:n], beside[:n]


@njit(cache=True, nogil=True, forceinline=True)
def _nearest_level(z, start, stop, level, climb):
    best, gap = -1, climb
    for f in range(start, stop):
        if abs(z[f] - level) <= gap:
            best, gap = f, abs(z[f] - level)
    return best
