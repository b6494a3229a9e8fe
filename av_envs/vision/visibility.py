"""Visible triangle of each pixel, by hierarchical culling and rasterisation.

Headings are quarter turns, so an upright box stays upright in the camera frame
(right, up, forward) and the tree of the ray caster doubles as a tree for the
pyramid of sight. What is left of it is painted triangle by triangle, in rows of
pixels, nearest wins. Edges are homogeneous, so triangles that reach behind the
camera need no clipping (Olano and Greer, "Triangle Scan Conversion using 2D
Homogeneous Coordinates", Graphics Hardware, 1997). Every pixel gets what a ray
through its centre would hit, several times faster than by casting it.
"""

import numpy as np
from numba import njit

from av_envs.conventions import HEADING_STEPS
from av_envs.scene.bvh import MAX_DEPTH as TREE_DEPTH
from av_envs.scene.bvh import Bvh

FIELD_OF_VIEW = np.pi / 2  # radians, both ways
HALF_WIDTH = float(np.tan(FIELD_OF_VIEW / 2))  # of the picture, one metre in front of the eye
OVERLAP = 1e-4  # pixels that a triangle is wider than it is, so that joints have no holes
QUARTER_COS, QUARTER_SIN = np.array(HEADING_STEPS).T.copy()


@njit(cache=True, nogil=True, fastmath=True)
def visible_triangles(bvh: Bvh, eye: np.ndarray, heading: int, size: int, half_width: float):
    """(size, size) int32: row of `bvh.triangles` seen by each pixel, -1 where there is none.

    eye         (3,) metres
    heading     quarter turns counter-clockwise from east
    half_width  tangent of half the field of view
    Row 0 is the top of the picture, column 0 its left side.
    """
    index = np.full((size, size), -1, np.int32)
    nearness = np.zeros((size, size), np.float32)  # 1 / depth
    corners, edges = np.empty((3, 3)), np.empty((3, 3))
    stack, height = np.empty(TREE_DEPTH + 1, np.int32), 1
    stack[0] = 0
    while height > 0:
        height -= 1
        node = stack[height]
        if not _may_be_seen(bvh.boxes[node], eye, heading, half_width):
            continue
        first, count = bvh.first[node], bvh.count[node]
        if count == 0:
            stack[height], stack[height + 1] = first, first + 1
            height += 2
        for k in range(first, first + count):
            _to_camera(bvh.triangles[k], eye, heading, corners)
            _paint(k, corners, edges, half_width, nearness, index)
    return index


@njit(inline="always")
def turn(x, y, heading):
    """(right, forward) of a horizontal vector (x, y) for a camera with this heading."""
    cos, sin = QUARTER_COS[heading], QUARTER_SIN[heading]
    return x * sin - y * cos, x * cos + y * sin


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _may_be_seen(box, eye, heading, half_width):
    """Whether a box (6,) reaches into the pyramid of sight."""
    right_a, forward_a = turn(box[0] - eye[0], box[1] - eye[1], heading)
    right_b, forward_b = turn(box[3] - eye[0], box[4] - eye[1], heading)
    reach = max(forward_a, forward_b) * half_width
    right_low, right_high = min(right_a, right_b), max(right_a, right_b)
    sideways = right_low <= reach and right_high >= -reach
    return reach > 0 and sideways and box[2] - eye[2] <= reach and box[5] - eye[2] >= -reach


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _to_camera(triangle, eye, heading, corners):
    """Fill `corners` (3, 3) with right, up, forward of each corner."""
    for corner in range(3):
        x, y, z = triangle[0] - eye[0], triangle[1] - eye[1], triangle[2] - eye[2]
        if corner > 0:
            x += triangle[3 * corner]
            y += triangle[3 * corner + 1]
            z += triangle[3 * corner + 2]
        corners[corner, 0], corners[corner, 2] = turn(x, y, heading)
        corners[corner, 1] = z


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _paint(k, corners, edges, half_width, nearness, index):
    """Paint one triangle: the pixels whose direction is a positive mix of its corners."""
    size = len(index)
    for i in range(3):
        a, b = corners[(i + 1) % 3], corners[(i + 2) % 3]
        edges[i, 0] = a[1] * b[2] - a[2] * b[1]
        edges[i, 1] = a[2] * b[0] - a[0] * b[2]
        edges[i, 2] = a[0] * b[1] - a[1] * b[0]
    volume = 0.0
    for i in range(3):
        volume += corners[0, i] * edges[0, i]
    if abs(volume) < 1e-12:  # seen edge-on
        return
    edges *= 1 / volume  # the three shares of a direction now sum to 1 / depth
    top, bottom = _rows(corners, size, half_width)
    pixel = 2 * half_width / size
    left = 0.5 * pixel - half_width
    for j in range(top, bottom + 1):
        y = half_width - (j + 0.5) * pixel
        start, stop = -OVERLAP, size - 1 + OVERLAP
        near, slope = 0.0, 0.0
        for i in range(3):
            share = edges[i, 0] * left + edges[i, 1] * y + edges[i, 2]
            change = edges[i, 0] * pixel
            near += share
            slope += change
            if change > 0:
                start = max(start, -share / change)
            elif change < 0:
                stop = min(stop, -share / change)
            elif share < 0:
                stop = -1.0
        # a share that hardly changes along the row crosses zero far outside the picture,
        # where a column would not fit into an integer
        start, stop = min(start, float(size)), max(stop, -1.0)
        row, seen = nearness[j], index[j]
        for column in range(int(np.ceil(start - OVERLAP)), int(np.floor(stop + OVERLAP)) + 1):
            here = np.float32(near + slope * column)
            if here > row[column]:
                row[column] = here
                seen[column] = k


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _rows(corners, size, half_width):
    """First and last row of pixels a triangle can touch; all rows if it reaches behind the eye."""
    if min(corners[0, 2], corners[1, 2], corners[2, 2]) < 1e-6:
        return 0, size - 1
    high = max(
        corners[0, 1] / corners[0, 2], corners[1, 1] / corners[1, 2], corners[2, 1] / corners[2, 2]
    )
    low = min(
        corners[0, 1] / corners[0, 2], corners[1, 1] / corners[1, 2], corners[2, 1] / corners[2, 2]
    )
    scale = size / (2 * half_width)
    top = np.ceil((half_width - high) * scale - 0.5 - OVERLAP)
    bottom = np.floor((half_width - low) * scale - 0.5 + OVERLAP)
    return max(0, int(top)), min(size - 1, int(bottom))
