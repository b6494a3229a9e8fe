"""Diffracting edges: corners at the height of heads, and the shortest paths over them.

The surfaces are cut at head height. Faces that meet there at one point of the plan form one
corner, whether or not the triangles share vertices: the jamb of a door ends at its lintel
and the wall beside it at the ceiling, and both end in one line. Sound can turn where more
than half a turn around such a place is air: at door jambs, ends of walls (of a single sheet,
too) and tall furniture.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from av_envs.scene import Scene
from av_envs.scene.bvh import occluded

MIN_TURN = np.radians(30)  # of a string around a corner; a blunter edge is part of a wall
WELD = 0.002  # m in plan, between ends of surfaces that meet
CLEARANCE = 0.005  # m between a corner and the point that is looked at in its stead
MOST_CORNERS = 512  # a house has some sixty
CELL = 0.125  # m, side of the cubes that keep one corner each where there are more
LEVEL = 0.5  # m, heads that differ by less look at corners of one height
SHALLOW = 0.05  # m between an edge and the wall behind it: the edge of a picture shades nothing


class Corners(NamedTuple):
    """Diffracting edges and lines of sight between them and the places.

    edges        (C, 3) float32 metres, on the edge itself: what lengths and angles refer to
    points       (C, 3) float32 metres, just beside it, in the air: what sight lines end at
    faces        (C, 2) float32 radians, azimuth of the face at which the air around the edge
                 begins, and the angle from there to the face at which it ends
    free         (C,) bool, false beside something nearer than SHALLOW, which shades in its stead
    from_places  (N, C) float32 metres, inf where a place does not see a corner
    between      (C, C) float32 metres, inf where a corner does not see the other
    distance     (C, C) float32 metres along the shortest way over corners, inf if there is none
    previous     (C, C) int32, the corner before column b on the way from row a, -1 at the start
    """

    edges: np.ndarray
    points: np.ndarray
    faces: np.ndarray
    free: np.ndarray
    from_places: np.ndarray
    between: np.ndarray
    distance: np.ndarray
    previous: np.ndarray


def find_corners(scene: Scene, places: np.ndarray) -> Corners:
    """Corners at the heights of the places (N, 3) and the shortest paths between them."""
    places = np.asarray(places, np.float32)
    level = np.floor((places[:, 2] - places[:, 2].min()) / LEVEL)
    heights = [float(np.median(places[level == k, 2])) for k in np.unique(level)]
    found = [_corners_at(scene.triangles, height) for height in heights]
    edges, points, faces = _thinned(*(np.concatenate(part) for part in zip(*found, strict=True)))
    between = _sight_lines_among(scene, edges, points)
    from_places = _sight_lines(scene, places, edges, points)
    kept = _met(between, from_places)
    between, from_places = between[np.ix_(kept, kept)], from_places[:, kept]
    steps = np.where(np.isfinite(between), between + 1e-6, 0)  # zero means no step there
    distance, previous = dijkstra(steps, directed=False, return_predecessors=True)
    return Corners(
        edges[kept],
        points[kept],
        faces[kept],
        _stands_free(scene, points[kept], faces[kept]),
        from_places,
        between,
        distance.reshape(between.shape).astype(np.float32),
        np.maximum(previous.reshape(between.shape), -1).astype(np.int32),
    )


def _corners_at(triangles: np.ndarray, height: float) -> tuple[np.ndarray, ...]:
    """Edges, points and faces, as in `Corners`, where surfaces cut at a height turn."""
    ends = _section(triangles.astype(float), height)
    node, places = _welded(ends.reshape(-1, 2))
    node = node.reshape(-1, 2)
    ends, node = ends[node[:, 0] != node[:, 1]], node[node[:, 0] != node[:, 1]]
    along = ends[:, 1] - ends[:, 0]
    azimuth = np.arctan2(along[:, 1], along[:, 0])
    node = np.concatenate([node[:, 0], node[:, 1]])
    azimuth = np.concatenate([azimuth, azimuth + np.pi]) % (2 * np.pi)
    order = np.lexsort([azimuth, node])
    node, azimuth = node[order], azimuth[order]
    first = np.flatnonzero(np.diff(node, prepend=-1))
    count = np.diff(first, append=len(node))
    following = np.arange(1, len(node) + 1)  # the next surface around the same node
    following[first + count - 1] = first
    gap = (azimuth[following] - azimuth) % (2 * np.pi) if len(node) else azimuth
    gap[first[count == 1]] = 2 * np.pi  # the end of one sheet
    widest = _widest_of_each(node, gap)
    widest = widest[gap[widest] > np.pi + MIN_TURN]
    middle = azimuth[widest] + gap[widest] / 2
    edges = np.column_stack([places[node[widest]], np.full(len(widest), height)])
    outward = np.column_stack([np.cos(middle), np.sin(middle), np.zeros(len(widest))])
    faces = np.column_stack([azimuth[widest], gap[widest]])
    parts = edges, edges + CLEARANCE * outward, faces
    return tuple(part.astype(np.float32) for part in parts)


def _section(triangles: np.ndarray, height: float) -> np.ndarray:
    """(K, 2, 2) metres in plan, the lines in which triangles (T, 3, 3) cross a height."""
    above = triangles[..., 2] > height
    cut = triangles[above.any(axis=1) & ~above.all(axis=1)]
    above = cut[..., 2] > height
    # the corner that is alone on its side; the two sides that leave it are crossed
    alone = np.argmax(above == (above.sum(axis=1) == 1)[:, None], axis=1)
    tip = cut[np.arange(len(cut)), alone]
    ends = []
    for step in (1, 2):
        other = cut[np.arange(len(cut)), (alone + step) % 3]
        share = (height - tip[:, 2]) / (other[:, 2] - tip[:, 2])
        ends.append(tip[:, :2] + share[:, None] * (other - tip)[:, :2])
    return np.stack(ends, axis=1)


def _welded(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The node of each point (n, 2), and the nodes' places: points nearer than WELD are one."""
    distinct, which = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    near = cKDTree(distinct).query_pairs(WELD, output_type="ndarray") if len(distinct) else []
    one, other = np.reshape(near, (-1, 2)).astype(int).T
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(distinct),) * 2)
    _, node = connected_components(links, directed=False) if len(distinct) else (0, which)
    places = np.zeros((node.max(initial=-1) + 1, 2))
    np.add.at(places, node, distinct)
    return node[which.ravel()], places / np.bincount(node, minlength=len(places))[:, None]


def _widest_of_each(node: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Row of the widest gap at each node."""
    order = np.lexsort([gap, node])
    return order[np.flatnonzero(np.diff(node[order], append=-1))]


def _thinned(edges: np.ndarray, points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, ...]:
    """At most MOST_CORNERS: scanned rooms have one in every wrinkle of a curtain."""
    cell = CELL
    while len(points) > MOST_CORNERS:
        _, first = np.unique(np.floor(points / cell), axis=0, return_index=True)
        kept = np.sort(first)
        edges, points, faces, cell = edges[kept], points[kept], faces[kept], 2 * cell
    return edges, points, faces


def _sight_lines(
    scene: Scene, places: np.ndarray, edges: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """(places, edges) distances in metres, inf where something is in between."""
    distance = np.linalg.norm(places[:, None] - edges[None], axis=-1).astype(np.float32)
    starts, ends = np.repeat(places, len(points), axis=0), np.tile(points, (len(places), 1))
    distance[occluded(scene.bvh, starts, ends).reshape(distance.shape)] = np.inf
    return distance


def _sight_lines_among(scene: Scene, edges: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(edges, edges) distances in metres, the same both ways; zero to itself."""
    distance = np.linalg.norm(edges[:, None] - edges[None], axis=-1).astype(np.float32)
    one, other = np.triu_indices(len(edges), 1)
    blocked = occluded(scene.bvh, points[one], points[other])
    one, other = one[blocked], other[blocked]
    distance[one, other] = distance[other, one] = np.inf
    return distance


def _met(between: np.ndarray, from_places: np.ndarray) -> np.ndarray:
    """(C,) bool, the corners that some place sees, maybe around others: not those inside walls."""
    if not len(between):
        return np.zeros(0, bool)
    _, group = connected_components(np.isfinite(between), directed=False)
    return np.isin(group, group[np.isfinite(from_places).any(axis=0)])


def _stands_free(scene: Scene, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(C,) bool, whether there is air in front of both faces of an edge."""
    free = np.ones(len(points), bool)
    for azimuth in (faces[:, 0] + np.pi / 2, faces.sum(axis=1) - np.pi / 2):
        normal = np.column_stack([np.cos(azimuth), np.sin(azimuth), np.zeros(len(faces))])
        free &= ~occluded(scene.bvh, points, points + SHALLOW * normal)
    return free
