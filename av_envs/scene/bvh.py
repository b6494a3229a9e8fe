"""Bounding volume hierarchy of triangles: closest hit and occlusion of rays.

Used by sound paths, camera rays and lines of sight. The tree is built by the
binned surface area heuristic (Wald, "On fast Construction of SAH-based Bounding
Volume Hierarchies", IEEE Symposium on Interactive Ray Tracing, 2007); triangles are
tested from both sides (Moeller and Trumbore, "Fast, Minimum Storage Ray/Triangle
Intersection", Journal of Graphics Tools, 1997). Everything is float32 and runs
without the interpreter lock.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

N_BINS = 16
MAX_LEAF = 4  # triangles; more are always split
MAX_DEPTH = 63  # levels below the root; as many nodes fit on the traversal stack
STEP_COST = 1.2  # price of visiting an inner node, in triangle tests
SLACK = np.float32(1e-5)  # of an edge; triangles overlap a little so that no ray slips between
MISS = np.float32(1e30)
# Unsigned row numbers spare the check for negative ones: 6 % more rays per second.
ROW, NEXT = np.uint64, np.uint64(1)


class Bvh(NamedTuple):
    """A binary tree of boxes over triangles; node 0 is the root.

    boxes      (n, 6) float32, metres, lowest corner then highest corner of a node
    first      (n,) int32, leaf: its first triangle; inner node: its left child
               (the right child is the next node)
    count      (n,) int32, triangles in the leaf; 0 for an inner node
    triangles  (T, 9) float32, metres, one vertex and the two edges that leave it
    """

    boxes: np.ndarray
    first: np.ndarray
    count: np.ndarray
    triangles: np.ndarray


def build_bvh(triangles: np.ndarray) -> tuple[Bvh, np.ndarray]:
    """A tree over the triangles, and the order it sorted them into.

    triangles  (T, 3, 3) float, metres, corners of each triangle
    order      (T,) int32, returned: input index of each triangle of the tree
    """
    corners = np.ascontiguousarray(triangles, np.float32)
    if corners.ndim != 3 or corners.shape[1:] != (3, 3) or len(corners) == 0:
        raise ValueError(f"triangles must have shape (T, 3, 3) with T > 0, got {corners.shape}")
    if not np.isfinite(corners).all():
        raise ValueError("triangles must be finite; at least one corner is not")
    low, high = corners.min(axis=1), corners.max(axis=1)
    order, boxes, first, count = _build(low, high, MAX_DEPTH)
    # Wider than the rounding of the box test, so a flat wall keeps a box with an inside.
    margin = np.float32(1e-5) + np.float32(1e-6) * np.abs(corners).max()
    boxes[:, :3] -= margin
    boxes[:, 3:] += margin
    corners = corners[order]
    edges = corners[:, 1:] - corners[:, :1]
    return Bvh(
        boxes, first, count, np.concatenate([corners[:, :1], edges], 1).reshape(-1, 9)
    ), order


def cast_rays(
    bvh: Bvh, origins: np.ndarray, directions: np.ndarray, t_max: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest triangle along each ray, and which one.

    origins     (R, 3) float32, metres
    directions  (R, 3) float32; need not be unit, distances count in their length
    t_max       (R,) float32, nothing beyond it is seen
    Returns t (R,) float32, `t_max` where nothing is hit, and index (R,) int32, -1 there.
    """
    return _cast_rays(
        bvh,
        np.ascontiguousarray(origins, np.float32),
        np.ascontiguousarray(directions, np.float32),
        np.ascontiguousarray(t_max, np.float32),
    )


def occluded(bvh: Bvh, origins: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Whether anything stands between each origin and its target.

    origins, targets  (R, 3) float32, metres; surfaces within 0.1 mm of either end are ignored
    Returns (R,) bool.
    """
    return _occluded(
        bvh,
        np.ascontiguousarray(origins, np.float32),
        np.ascontiguousarray(targets, np.float32),
    )


@intrinsic
def _node_stack(typing_context):
    """Room for MAX_DEPTH + 1 node numbers on the machine stack: an array would be allocated."""

    def code(context, builder, signature, arguments):
        room = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(32), MAX_DEPTH + 1))
        return builder.bitcast(room, ir.IntType(32).as_pointer())

    return types.CPointer(types.int32)(), code


@njit(inline="always", fastmath=True)
def _reciprocal(x):
    """1 / x in float32, and a huge number instead of infinity for a ray along a box side."""
    tiny = np.float32(1e-12)
    return np.float32(1) / (x if abs(x) > tiny else tiny)


@njit(inline="always", fastmath=True)
def _enter(boxes, node, ix, iy, iz, sx, sy, sz, t_max):
    """Distance at which the ray enters a box, MISS if it does not before `t_max`.

    (ix, iy, iz) is the reciprocal of the direction, (sx, sy, sz) the origin times it.
    """
    a, b = boxes[node, 0] * ix - sx, boxes[node, 3] * ix - sx
    near, far = min(a, b), max(a, b)
    a, b = boxes[node, 1] * iy - sy, boxes[node, 4] * iy - sy
    near, far = max(near, min(a, b)), min(far, max(a, b))
    a, b = boxes[node, 2] * iz - sz, boxes[node, 5] * iz - sz
    near, far = max(near, min(a, b)), min(far, max(a, b))
    near = max(near, np.float32(0))
    return near if near <= min(far, t_max) else MISS


@njit(inline="always", fastmath=True)
def _meet(triangles, k, ox, oy, oz, dx, dy, dz):
    """Distance along the ray to triangle k, from either side; MISS if it misses."""
    ax, ay, az = triangles[k, 3], triangles[k, 4], triangles[k, 5]
    bx, by, bz = triangles[k, 6], triangles[k, 7], triangles[k, 8]
    px, py, pz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
    determinant = ax * px + ay * py + az * pz
    tiny = np.float32(1e-20)  # seen edge-on, or no area at all: then u or v is out of range
    scale = np.float32(1) / (determinant if abs(determinant) > tiny else tiny)
    x, y, z = ox - triangles[k, 0], oy - triangles[k, 1], oz - triangles[k, 2]
    u = (x * px + y * py + z * pz) * scale
    qx, qy, qz = y * az - z * ay, z * ax - x * az, x * ay - y * ax
    v = (dx * qx + dy * qy + dz * qz) * scale
    if min(min(u, v), np.float32(1) - u - v) < -SLACK:
        return MISS
    return (bx * qx + by * qy + bz * qz) * scale


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def closest_hit(bvh, ox, oy, oz, dx, dy, dz, t_min, t_max):
    """(t, index) of the first triangle with t_min < t < t_max; (t_max, -1) if there is none.

    o, d  metres, origin and direction; t counts in lengths of the direction
    index is the row of `bvh.triangles`.
    """
    ox, oy, oz = np.float32(ox), np.float32(oy), np.float32(oz)
    dx, dy, dz = np.float32(dx), np.float32(dy), np.float32(dz)
    t_min, t_best = np.float32(t_min), np.float32(t_max)
    ix, iy, iz = _reciprocal(dx), _reciprocal(dy), _reciprocal(dz)
    sx, sy, sz = ox * ix, oy * iy, oz * iz
    stack, height, node, best = _node_stack(), 0, ROW(0), -1
    while True:
        first, count = ROW(bvh.first[node]), ROW(bvh.count[node])
        descend = False
        if count > 0:
            for k in range(first, first + count):
                t = _meet(bvh.triangles, k, ox, oy, oz, dx, dy, dz)
                if t_min < t < t_best:
                    t_best, best = t, np.int64(k)
        else:
            left = _enter(bvh.boxes, first, ix, iy, iz, sx, sy, sz, t_best)
            right = _enter(bvh.boxes, first + NEXT, ix, iy, iz, sx, sy, sz, t_best)
            near, far = (first, first + NEXT) if left <= right else (first + NEXT, first)
            descend = min(left, right) < MISS
            if max(left, right) < MISS:
                stack[height] = np.int32(far)
                height += 1
            node = near
        if not descend:
            if height == 0:
                return t_best, best
            height -= 1
            node = ROW(stack[height])


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def any_hit(bvh, ox, oy, oz, dx, dy, dz, t_min, t_max):
    """Whether any triangle has t_min < t < t_max. Arguments as for `closest_hit`."""
    ox, oy, oz = np.float32(ox), np.float32(oy), np.float32(oz)
    dx, dy, dz = np.float32(dx), np.float32(dy), np.float32(dz)
    t_min, t_max = np.float32(t_min), np.float32(t_max)
    ix, iy, iz = _reciprocal(dx), _reciprocal(dy), _reciprocal(dz)
    sx, sy, sz = ox * ix, oy * iy, oz * iz
    stack, height, node = _node_stack(), 0, ROW(0)
    while True:
        first, count = ROW(bvh.first[node]), ROW(bvh.count[node])
        descend = False
        if count > 0:
            for k in range(first, first + count):
                if t_min < _meet(bvh.triangles, k, ox, oy, oz, dx, dy, dz) < t_max:
                    return True
        else:
            left = _enter(bvh.boxes, first, ix, iy, iz, sx, sy, sz, t_max)
            right = _enter(bvh.boxes, first + NEXT, ix, iy, iz, sx, sy, sz, t_max)
            near, far = (first, first + NEXT) if left <= right else (first + NEXT, first)
            descend = min(left, right) < MISS
            if max(left, right) < MISS:
                stack[height] = np.int32(far)
                height += 1
            node = near
        if not descend:
            if height == 0:
                return False
            height -= 1
            node = ROW(stack[height])


@njit(cache=True, nogil=True, fastmath=True)
def _cast_rays(bvh, origins, directions, t_max):
    t = np.empty(len(origins), np.float32)
    index = np.empty(len(origins), np.int32)
    for i in range(len(origins)):
        o, d = origins[i], directions[i]
        t[i], index[i] = closest_hit(bvh, o[0], o[1], o[2], d[0], d[1], d[2], 0, t_max[i])
    return t, index


@njit(cache=True, nogil=True, fastmath=True)
def _occluded(bvh, origins, targets):
    blocked = np.empty(len(origins), np.bool_)
    for i in range(len(origins)):
        o, d = origins[i], targets[i] - origins[i]
        length = np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        end = min(np.float32(0.5), np.float32(1e-4) / max(length, np.float32(1e-12)))
        blocked[i] = any_hit(bvh, o[0], o[1], o[2], d[0], d[1], d[2], end, np.float32(1) - end)
    return blocked


@njit(cache=True, nogil=True)
def _build(low, high, max_depth):
    """Tree over boxes: (order, boxes, first, count), see `Bvh`; low, high (T, 3) float32."""
    n = len(low)
    order = np.arange(n).astype(np.int32)
    boxes = np.empty((2 * n, 6), np.float32)
    first, count = np.zeros(2 * n, np.int32), np.zeros(2 * n, np.int32)
    waiting = np.empty((max_depth + 2, 4), np.int64)  # node, its first and last triangle, depth
    waiting[0] = np.array([0, 0, n, 0])
    n_waiting, n_nodes = 1, 1
    while n_waiting > 0:
        n_waiting -= 1
        node, start, stop, depth = waiting[n_waiting]
        centre_low, centre_high = _bound(low, high, order[start:stop], boxes[node])
        # From this depth on only halving is sure to end before the traversal stack does.
        halve = depth + np.ceil(np.log2(stop - start)) >= max_depth
        axis, cut, cost = _best_cut(low, high, order[start:stop], centre_low, centre_high)
        size = _half_area(boxes[node, :3], boxes[node, 3:])
        worth = axis >= 0 and STEP_COST * size + cost < size * (stop - start)
        if stop - start <= MAX_LEAF and not worth:
            first[node], count[node] = start, stop - start
            continue
        middle = (start + stop) // 2
        if axis >= 0 and not halve:
            middle = start + _partition(
                low, high, order[start:stop], axis, cut, centre_low[axis], centre_high[axis]
            )
        first[node] = n_nodes
        waiting[n_waiting] = np.array([n_nodes, start, middle, depth + 1])
        waiting[n_waiting + 1] = np.array([n_nodes + 1, middle, stop, depth + 1])
        n_waiting, n_nodes = n_waiting + 2, n_nodes + 2
    return order, boxes[:n_nodes].copy(), first[:n_nodes].copy(), count[:n_nodes].copy()


@njit(inline="always")
def _half_area(low, high):
    x, y, z = high[0] - low[0], high[1] - low[1], high[2] - low[2]
    return x * y + y * z + z * x


@njit(inline="always")
def _bin(low, high, t, axis, start, stop):
    """Which of the N_BINS slices between start and stop holds the centre of box t."""
    centre = (low[t, axis] + high[t, axis]) * np.float32(0.5)
    return min(N_BINS - 1, int((centre - start) / (stop - start) * N_BINS))


@njit(cache=True, nogil=True, forceinline=True)
def _bound(low, high, members, box):
    """Fill `box` (6,) around all members; return the bounds of their centres."""
    box[:3], box[3:] = np.inf, -np.inf
    centre_low, centre_high = np.full(3, np.float32(np.inf)), np.full(3, np.float32(-np.inf))
    for t in members:
        for axis in range(3):
            centre = (low[t, axis] + high[t, axis]) * np.float32(0.5)
            box[axis] = min(box[axis], low[t, axis])
            box[axis + 3] = max(box[axis + 3], high[t, axis])
            centre_low[axis] = min(centre_low[axis], centre)
            centre_high[axis] = max(centre_high[axis], centre)
    return centre_low, centre_high


@njit(cache=True, nogil=True, forceinline=True)
def _best_cut(low, high, members, centre_low, centre_high):
    """(axis, last bin of the left part, sum of area x triangles); axis -1 if all centres agree."""
    best_axis, best_bin, best_cost = -1, -1, np.inf
    bins = np.empty((N_BINS, 6), np.float32)
    counts = np.empty(N_BINS, np.int64)
    right_cost = np.empty(N_BINS)
    for axis in range(3):
        start, stop = centre_low[axis], centre_high[axis]
        if not stop > start:
            continue
        bins[:, :3], bins[:, 3:], counts[:] = np.inf, -np.inf, 0
        for t in members:
            b = _bin(low, high, t, axis, start, stop)
            counts[b] += 1
            for i in range(3):
                bins[b, i] = min(bins[b, i], low[t, i])
                bins[b, i + 3] = max(bins[b, i + 3], high[t, i])
        _sweep(bins[::-1], counts[::-1], right_cost[::-1])
        left_cost = np.empty(N_BINS)
        _sweep(bins, counts, left_cost)
        for b in range(N_BINS - 1):
            cost = left_cost[b] + right_cost[b + 1]
            if cost < best_cost:
                best_axis, best_bin, best_cost = axis, b, cost
    return best_axis, best_bin, best_cost


@njit(cache=True, nogil=True, forceinline=True)
def _sweep(bins, counts, cost):
    """Fill cost[b] with area x triangles of bins 0 to b together; infinite while empty."""
    box = bins[0].copy()
    n = 0
    for b in range(N_BINS):
        n += counts[b]
        for i in range(3):
            box[i] = min(box[i], bins[b, i])
            box[i + 3] = max(box[i + 3], bins[b, i + 3])
        cost[b] = n * _half_area(box[:3], box[3:]) if n > 0 else np.inf


@njit(cache=True, nogil=True, forceinline=True)
def _partition(low, high, members, axis, cut, start, stop):
    """Sort members in place into bins <= cut and the rest; return the size of the left part."""
    left, right = 0, len(members) - 1
    while left <= right:
        t = members[left]
        if _bin(low, high, t, axis, start, stop) <= cut:
            left += 1
        else:
            members[left], members[right] = members[right], t
            right -= 1
    return left
