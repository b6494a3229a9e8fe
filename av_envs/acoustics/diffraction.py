"""Sound around corners and through walls: the first sound where nobody is seen.

Corners are the convex vertical edges at head height (door jambs, wall ends, tall
furniture). The shortest path over corners carries a direct sound that loses, at each
corner, what Kurze and Anderson give for a thin screen ("Sound attenuation by
barriers", Applied Acoustics 1971, after Maekawa 1968), at most 25 dB. The straight
line carries what the walls on it let through.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse.csgraph import dijkstra

from av_envs.acoustics.response import RESPONSE_SECONDS, Paths
from av_envs.acoustics.surfaces import Surfaces
from av_envs.conventions import BANDS_HZ, N_BANDS, SPEED_OF_SOUND
from av_envs.scene import Scene
from av_envs.scene.bvh import closest_hit, occluded

MIN_TURN = np.radians(30)  # between the faces of an edge that counts as a corner
CLEARANCE = 0.02  # m between a corner and the path around it
MOST_CORNERS = 512  # a house has some thirty
CELL = 0.125  # m, side of the cubes that keep one corner each where there are more
MAX_LOSS_DB = 25.0  # per corner
FAINTEST = 1e-3  # amplitude below which a path is not worth a slot
MAX_WALLS = 64  # crossed by one straight line
LOSS_BANDS = np.array(BANDS_HZ, np.float32)


class Corners(NamedTuple):
    """Where sound can turn, and who sees whom.

    points       (C, 3) float32 metres
    from_places  (N, C) metres, inf where a place does not see a corner
    distance     (C, C) metres along the shortest way over corners, inf if there is none
    previous     (C, C) int32, the corner before column b on the way from row a, -1 at the start
    """

    points: np.ndarray
    from_places: np.ndarray
    distance: np.ndarray
    previous: np.ndarray


def find_corners(scene: Scene, places: np.ndarray) -> Corners:
    """Corners at the height of the places and the shortest ways between them."""
    height = float(np.median(places[:, 2]))
    points = _thinned(_corner_points(scene.bvh.triangles, scene.normals, height))
    between = _sight_lines(scene, points, points)
    np.fill_diagonal(between, 0)
    reachable = np.where(np.isfinite(between), between + 1e-6, 0)  # zero means no edge there
    distance, previous = dijkstra(reachable, directed=False, return_predecessors=True)
    return Corners(
        points,
        _sight_lines(scene, np.asarray(places, np.float32), points),
        distance.reshape(len(points), len(points)).astype(np.float32),
        np.maximum(previous.reshape(distance.shape), -1).astype(np.int32),
    )


def _sight_lines(scene: Scene, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(starts, ends) distances in metres, inf where something is in between."""
    a = np.repeat(starts, len(ends), axis=0)
    b = np.tile(ends, (len(starts), 1))
    distance = np.linalg.norm(a - b, axis=1)
    if len(a):
        distance[occluded(scene.bvh, a, b)] = np.inf
    return distance.reshape(len(starts), len(ends))


def _corner_points(triangles: np.ndarray, normals: np.ndarray, height: float) -> np.ndarray:
    """(C, 3) float32, points just outside the convex edges that cross a height."""
    corners = np.stack([triangles[:, :3], triangles[:, :3], triangles[:, :3]], axis=1)
    corners[:, 1] += triangles[:, 3:6]
    corners[:, 2] += triangles[:, 6:]
    _, vertex = np.unique(np.round(corners.reshape(-1, 3), 3), axis=0, return_inverse=True)
    vertex = vertex.reshape(-1, 3)
    sides = np.concatenate([vertex[:, [0, 1]], vertex[:, [1, 2]], vertex[:, [2, 0]]])
    ends = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    face = np.tile(np.arange(len(triangles)), 3)
    crosses = (ends[..., 2].min(axis=1) < height) & (ends[..., 2].max(axis=1) > height)
    sides, ends, face = np.sort(sides[crosses], axis=1), ends[crosses], face[crosses]
    order = np.lexsort(sides.T)
    sides, ends, face = sides[order], ends[order], face[order]
    pair = np.flatnonzero((sides[1:] == sides[:-1]).all(axis=1))
    one, other = face[pair], face[pair + 1]
    low, high = ends[pair, 0], ends[pair, 1]
    turned = np.sum(normals[one] * normals[other], axis=1) < np.cos(MIN_TURN)
    inward = corners[other].mean(axis=1) - low  # convex: the other face lies behind this one
    convex = np.sum(inward * normals[one], axis=1) < -1e-4
    keep = turned & convex
    share = ((height - low[keep, 2]) / (high[keep, 2] - low[keep, 2]))[:, None]
    outward = normals[one[keep]] + normals[other[keep]]
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-6)
    points = low[keep] + share * (high[keep] - low[keep]) + CLEARANCE * outward
    return np.unique(np.round(points, 3), axis=0).astype(np.float32).reshape(-1, 3)


def _thinned(points: np.ndarray) -> np.ndarray:
    """At most MOST_CORNERS of the points: scanned rooms have one in every wrinkle of a curtain."""
    cell = CELL
    while len(points) > MOST_CORNERS:
        _, first = np.unique(np.floor(points / cell), axis=0, return_index=True)
        points, cell = points[np.sort(first)], 2 * cell
    return points


def add_hidden_paths(
    scene: Scene,
    surfaces: Surfaces,
    corners: Corners,
    source: int,
    places: np.ndarray,
    paths: Paths,
) -> None:
    """Add, where the source is not seen, the way around corners and the straight way through walls.

    source  index of the source's node among the places
    paths   direct and specular paths of that source, with two free slots per place
    """
    heads = np.asarray(places, np.float32)
    hidden = occluded(scene.bvh, np.repeat(heads[source : source + 1], len(heads), 0), heads)
    hidden[source] = False
    targets = np.flatnonzero(hidden).astype(np.int32)
    _add_transmitted(scene.bvh, surfaces, heads, source, targets, paths)
    if len(corners.points):
        to_last = corners.from_places[source][:, None] + corners.distance  # (first, last)
        first = to_last.argmin(axis=0).astype(np.int32)
        _add_diffracted(corners, to_last.min(axis=0), first, heads, source, targets, paths)


@njit(cache=True, nogil=True, forceinline=True)
def _append(paths, place, length, direction, gain):
    slot = paths.count[place]
    faint = True
    for band in range(N_BANDS):
        faint = faint and gain[band] < FAINTEST
    if faint or slot == paths.length.shape[1] or length >= RESPONSE_SECONDS * SPEED_OF_SOUND:
        return
    paths.count[place] += 1
    paths.length[place, slot] = length
    paths.direction[place, slot] = direction / np.sqrt(np.sum(direction**2))
    paths.gain[place, slot] = gain


@njit(cache=True, nogil=True)
def _add_diffracted(corners, to_last, first, heads, source, targets, paths):
    gain = np.empty(N_BANDS, np.float32)
    for place in targets:
        lengths = to_last + corners.from_places[place]
        last = np.argmin(lengths)
        if not lengths[last] < 1e9:
            continue
        gain[:] = 1.0
        after, at = heads[place], last
        while True:
            start = at == first[last]
            before = heads[source] if start else corners.points[corners.previous[first[last], at]]
            _lose_at_corner(gain, before, corners.points[at], after)
            if start:
                break
            after, at = corners.points[at], corners.previous[first[last], at]
        _append(paths, place, lengths[last], corners.points[last] - heads[place], gain)


@njit(cache=True, nogil=True, forceinline=True)
def _lose_at_corner(gain, before, corner, after):
    """Multiply the amplitudes by Kurze and Anderson's screen loss of one detour."""
    detour = np.sqrt(np.sum((corner - before) ** 2)) + np.sqrt(np.sum((corner - after) ** 2))
    detour = max(detour - np.sqrt(np.sum((after - before) ** 2)), 0.0)
    for band in range(N_BANDS):
        fresnel = 2 * detour * LOSS_BANDS[band] / SPEED_OF_SOUND
        root = np.sqrt(2 * np.pi * fresnel)
        loss = 5.0 + (20 * np.log10(root / np.tanh(root)) if root > 1e-3 else 0.0)
        gain[band] *= 10 ** (-min(loss, MAX_LOSS_DB) / 20)


@njit(cache=True, nogil=True)
def _add_transmitted(bvh, surfaces, heads, source, targets, paths):
    gain = np.empty(N_BANDS, np.float32)
    for place in targets:
        way = heads[source] - heads[place]
        start = np.float32(0.0)
        gain[:] = 1.0
        for _ in range(MAX_WALLS):
            o = heads[place]
            t, triangle = closest_hit(bvh, o[0], o[1], o[2], way[0], way[1], way[2], start, 1.0)
            if triangle < 0:
                break
            material = surfaces.material[triangle]
            for band in range(N_BANDS):  # amplitude, hence the root of a face's energy factor
                gain[band] *= np.sqrt(surfaces.face_transmission[material, band])
            start = t + np.float32(1e-5)
        _append(paths, place, np.sqrt(np.sum(way**2)), way, gain)
