"""Diffraction past edges and around corners, and transmission through walls.

An edge is treated as Pierce does ("Diffraction of sound around corners and over wide
barriers", JASA 55, 1974), by Fresnel integrals that are averaged over each octave band. In
its shadow sound bends around it. On its lit side the direct sound is dimmed near the
boundary of the shadow, by 6 dB at the boundary itself, so that levels are continuous and
what the shadow gains is what the light loses.

Where sound passes several edges, their factors are multiplied. Of the edges that a way bends
around the sharpest counts with the whole way, and the others with the way up to it, as in
Deygout ("Multiple knife-edge diffraction of microwaves", IEEE Trans. Antennas and
Propagation, 1966), which for the two edges of a thick wall is Pierce's formula. Of the edges
that a way passes in the light, those farther apart than a wall is thick (the two jambs of a
door) count each; of both edges of one jamb the nearer counts, and the other for sound past
it. All surfaces count as hard.

The straight path through walls has the energy that they transmit.
"""

import numpy as np
from numba import njit
from scipy.special import fresnel

from av_envs.acoustics.response import RESPONSE_SECONDS, Paths
from av_envs.acoustics.tracing.corners import Corners
from av_envs.acoustics.tracing.surfaces import Surfaces
from av_envs.conventions import BANDS_HZ, N_BANDS, SPEED_OF_SOUND
from av_envs.scene import Scene
from av_envs.scene.bvh import closest_hit, occluded

FAINTEST = 7e-4  # amplitude below which a path is not worth a slot: what a response can hold
MAX_WALLS = 64  # crossed by one straight line
SAME_JAMB = 0.3  # m, edges nearer than that shade together
GRAZING = np.radians(3)  # between a face and a way that runs along it
MOST_PASSED = 12  # edges that one way passes in the light; a house has at most some six
ROOT_WAVES = np.sqrt(np.array(BANDS_HZ) / SPEED_OF_SOUND)  # of waves per metre

# amplitude past an edge, by X: 0 on the boundary, 2 X^2 half waves of detour into the shadow
LIT, DARK, X_STEP = -2.2, 6.0, 0.02  # where the light is full, and where the asymptote holds


def _band_amplitudes() -> np.ndarray:
    """Root of the mean energy in an octave band past an edge, at X from LIT to DARK."""
    x = np.linspace(LIT, DARK, round((DARK - LIT) / X_STEP) + 1)
    frequencies = 2 ** np.linspace(-0.5, 0.5, 129)
    s, c = fresnel(x[:, None] * np.sqrt(frequencies))
    energy = ((0.5 - c) ** 2 + (0.5 - s) ** 2) / 2
    return np.sqrt(np.trapezoid(energy, frequencies, axis=1) / np.ptp(frequencies))


PAST_EDGE = _band_amplitudes()


def add_diffraction(
    scene: Scene,
    surfaces: Surfaces,
    corners: Corners,
    source: int,
    places: np.ndarray,
    paths: Paths,
) -> None:
    """Attenuate direct sound near edges; where it is hidden, add diffracted and transmitted paths.

    source  index of the source's node among the places
    paths   direct and specular paths of that source, the direct one first, with two free
            slots per place: for the shortest way around corners and for the one through walls
    """
    heads = np.asarray(places, np.float32)
    hidden = occluded(scene.bvh, np.repeat(heads[source : source + 1], len(heads), 0), heads)
    seen = np.flatnonzero(~hidden & (np.arange(len(heads)) != source))
    hidden[source] = False
    targets = np.flatnonzero(hidden)
    _add_transmitted(scene.bvh, surfaces, heads, source, targets, paths)
    if len(corners.edges):
        _dim_direct(corners, heads, source, seen, paths)
        to_last = corners.from_places[source][:, None] + corners.distance  # (first, last)
        first = to_last.argmin(axis=0)
        _add_ways(corners, to_last.min(axis=0), first, heads, source, targets, paths)


@njit(cache=True, nogil=True)
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
def _dim_direct(corners, heads, source, seen, paths):
    turns = np.empty(0, np.int64)
    gain = np.empty(N_BANDS)
    for place in seen:
        straight = np.sqrt(np.sum((heads[place] - heads[source]) ** 2))
        if paths.count[place] == 0 or abs(paths.length[place, 0] - straight) > 1e-3:
            continue
        gain[:] = 1.0
        way = np.stack((heads[source], heads[place]))
        _pass_edges(corners, turns, way, source, place, gain)
        for band in range(N_BANDS):
            paths.gain[place, 0, band] *= gain[band]


@njit(cache=True, nogil=True)
def _add_ways(corners, to_last, first, heads, source, targets, paths):
    turns = np.empty(len(first), np.int64)
    gain = np.empty(N_BANDS)
    for place in targets:
        last, length = -1, np.inf
        for corner in range(len(first)):
            if to_last[corner] + corners.from_places[place, corner] < length:
                last, length = corner, to_last[corner] + corners.from_places[place, corner]
        if last < 0:
            continue
        n, at = 0, last
        while at >= 0:  # from the last corner back to the first
            turns[n] = at
            n, at = n + 1, corners.previous[first[last], at]
        way = np.empty((n + 2, 3), np.float32)
        way[0], way[n + 1] = heads[source], heads[place]
        for k in range(n):
            way[k + 1] = corners.edges[turns[n - 1 - k]]
        gain[:] = 1.0
        _bend(corners, turns[:n][::-1], way, gain)
        _pass_edges(corners, turns[:n][::-1], way, source, place, gain)
        _append(paths, place, length, way[n] - heads[place], gain)


@njit(cache=True, nogil=True)
def _past_edge(x):
    """Amplitude of sound past an edge, averaged over an octave band; X grows into the shadow."""
    if x <= LIT:
        return 1.0
    if x >= DARK:
        return PAST_EDGE[-1] * DARK / x
    place = (x - LIT) / X_STEP
    k = min(int(place), len(PAST_EDGE) - 2)
    return PAST_EDGE[k] + (place - k) * (PAST_EDGE[k + 1] - PAST_EDGE[k])


@njit(cache=True, nogil=True)
def _angle(corners, corner, point):
    """Radians from the first face of an edge to a point, in plan, at most to the second face."""
    edge, air = corners.edges[corner], corners.faces[corner, 1]
    angle = np.arctan2(point[1] - edge[1], point[0] - edge[0]) - corners.faces[corner, 0]
    angle %= 2 * np.pi
    if angle > air:  # rounded into the wall
        return air if angle - air < 2 * np.pi - angle else 0.0
    return angle


@njit(cache=True, nogil=True)
def _turn(air, angle):
    """Pierce's M of an edge with `air` radians around it: zero at half a turn, more beyond."""
    index = np.pi / air
    return (np.cos(index * np.pi) - np.cos(index * angle)) / (index * np.sin(index * np.pi))


@njit(cache=True, nogil=True)
def _distances(way):
    """(n,) metres from the first point to each point of a way (n, 3)."""
    along = np.zeros(len(way))
    for k in range(1, len(way)):
        along[k] = along[k - 1] + np.sqrt(np.sum((way[k] - way[k - 1]) ** 2))
    return along


@njit(cache=True, nogil=True)
def _bend(corners, turns, way, gain):
    """Multiply the amplitudes by what bending around the corners of a way leaves.

    turns  (n,) the corners in order; way (n + 2, 3) metres: source, their edges, listener
    """
    kept = 1
    bends, points = np.empty(len(turns), np.int64), way.copy()
    for k in range(len(turns)):  # edges of pictures: the wall behind is what sound runs along
        if corners.free[turns[k]]:
            bends[kept - 1], points[kept] = turns[k], way[k + 1]
            kept += 1
    points[kept] = way[len(way) - 1]
    along, n = _distances(points[: kept + 1]), kept - 1
    turn, mirrored, sharpness = np.empty(n), np.empty(n), np.empty(n)
    was_along_face, along_faces = False, 0
    for k in range(n):
        air = corners.faces[bends[k], 1]
        before = _angle(corners, bends[k], points[k])
        after = _angle(corners, bends[k], points[k + 2])
        turn[k], mirrored[k] = _turn(air, abs(after - before)), _turn(air, after + before)
        a, b = along[k + 1], along[n + 1] - along[k + 1]
        sharpness[k] = turn[k] * np.sqrt(a * b)
        if was_along_face and min(before, air - before) < GRAZING:
            along_faces += 1
        was_along_face = min(after, air - after) < GRAZING
    for k in range(n):
        left, right = k - 1, k + 1
        while left >= 0 and sharpness[left] <= sharpness[k]:
            left -= 1
        while right < n and sharpness[right] < sharpness[k]:
            right += 1
        a, b = along[k + 1] - along[left + 1], along[right + 1] - along[k + 1]
        reach = np.sqrt(2 * a * b / max(a + b, 1e-6))
        for band in range(N_BANDS):
            waves = reach * ROOT_WAVES[band]
            reflected = _past_edge(waves * mirrored[k]) if mirrored[k] > 0 else 0.0
            gain[band] *= _past_edge(waves * turn[k]) + reflected
    for band in range(N_BANDS):  # along a face sound and its reflection are one
        gain[band] *= 0.5**along_faces


@njit(cache=True, nogil=True)
def _pass_edges(corners, turns, way, source, place, gain):
    """Multiply the amplitudes by what edges leave that a way passes on their lit side.

    Arguments as for `_bend`, and the indices of both places.
    """
    along = _distances(way)
    passed, clear = np.empty((MOST_PASSED, 3), np.int64), np.empty(MOST_PASSED)
    left, n = np.empty(N_BANDS), 0
    for corner in range(len(corners.edges)):
        if n == MOST_PASSED or not corners.free[corner] or _is_among(turns, corner):
            continue
        p, q = _seen_part(corners, turns, source, place, corner)
        if p < q and _shade(corners, corner, way, along, p, q, left) * ROOT_WAVES[0] > LIT:
            passed[n] = corner, p, q
            clear[n] = _aside(corners.edges[corner], way[p], way[q])
            n += 1
    while n > 0:  # the nearest to the way first, with all that stand beside it
        leader, p, q = passed[np.argmin(clear[:n])]
        _pass_jamb(corners, turns, source, place, leader, way, along, p, q, gain)
        kept = 0
        for k in range(n):
            if not _near(corners.edges, leader, passed[k, 0]):
                passed[kept], clear[kept] = passed[k], clear[k]
                kept += 1
        n = kept


@njit(cache=True, nogil=True)
def _aside(edge, p, q):
    """Metres in plan between an edge and the line through p and q."""
    dx, dy = q[0] - p[0], q[1] - p[1]
    plan = max(np.sqrt(dx * dx + dy * dy), 1e-6)
    return abs((edge[0] - p[0]) * dy - (edge[1] - p[1]) * dx) / plan


@njit(cache=True, nogil=True)
def _is_among(turns, corner):
    return (turns == corner).any()


@njit(cache=True, nogil=True)
def _seen_part(corners, turns, source, place, corner):
    """Which points of a way are the first and the last that a corner sees."""
    first, last = len(turns) + 2, -1
    for k in range(len(turns) + 2):
        if _sees(corners, turns, source, place, k, corner):
            first, last = min(first, k), k
    return first, last


@njit(cache=True, nogil=True)
def _sees(corners, turns, source, place, k, corner):
    """Whether point k of a way sees a corner."""
    if k == 0:
        return corners.from_places[source, corner] < np.inf
    if k > len(turns):
        return corners.from_places[place, corner] < np.inf
    return corners.between[turns[k - 1], corner] < np.inf


@njit(cache=True, nogil=True)
def _near(edges, one, other):
    return np.sum((edges[one] - edges[other]) ** 2) < SAME_JAMB**2


@njit(cache=True, nogil=True)
def _pass_jamb(corners, turns, source, place, leader, way, along, p, q, gain):
    """Multiply the amplitudes by what an edge, and those beside it, leave of a way from p to q.

    What the others take is taken from sound that has passed the first one, and the less, the
    less the first one takes: that makes levels continuous where the way bends around it.
    """
    left, rest, other = np.empty(N_BANDS), np.ones(N_BANDS), np.empty(N_BANDS)
    clear = _shade(corners, leader, way, along, p, q, left)
    edge = corners.edges[leader]
    bent, bent_along = np.empty((3, 3), np.float32), np.empty(3)
    bent[0], bent[1], bent[2] = way[p], edge, way[q]
    bent_along[0] = along[p]
    bent_along[1] = along[p] + np.sqrt(np.sum((edge - way[p]) ** 2))
    bent_along[2] = bent_along[1] + np.sqrt(np.sum((edge - way[q]) ** 2))
    for corner in range(len(corners.edges)):
        if corner == leader or not _near(corners.edges, leader, corner):
            continue
        if not corners.free[corner] or corners.between[leader, corner] == np.inf:
            continue
        aside = corners.edges[corner] - edge
        is_after = aside[0] * (way[q, 0] - way[p, 0]) + aside[1] * (way[q, 1] - way[p, 1]) > 0
        if _is_among(turns, corner) or not _sees(
            corners, turns, source, place, q if is_after else p, corner
        ):
            continue
        _shade(corners, corner, bent, bent_along, int(is_after), 1 + int(is_after), other)
        for band in range(N_BANDS):
            share = min(max(2 - 2 * _past_edge(clear * ROOT_WAVES[band]), 0.0), 1.0)
            rest[band] = min(rest[band], 1 - share * (1 - other[band]))
    for band in range(N_BANDS):
        gain[band] *= left[band] * rest[band]


@njit(cache=True, nogil=True)
def _shade(corners, corner, way, along, p, q, left):
    """Set `left` (7,) to what an edge leaves of sound that passes it between points of a way.

    along    metres from the source to each point
    p, q     indices of the points before and after the edge
    returns  X at one wave per metre, below 0 on the lit side
    """
    air, edge = corners.faces[corner, 1], corners.edges[corner]
    one, other = _angle(corners, corner, way[p]), _angle(corners, corner, way[q])
    turn, mirrored = _turn(air, abs(one - other)), _turn(air, one + other)
    along_face = min(min(one, air - one), min(other, air - other)) < GRAZING
    a, b = np.sqrt(np.sum((way[p] - edge) ** 2)), np.sqrt(np.sum((way[q] - edge) ** 2))
    if turn < 0:
        a, b = a + along[p], b + along[len(way) - 1] - along[q]
    reach = np.sqrt(2 * a * b / max(a + b, 1e-6))
    for band in range(N_BANDS):
        waves = reach * ROOT_WAVES[band]
        lost = 1 - _past_edge(waves * turn)
        if not along_face:  # the edge of the reflection gives back, at most what was lost
            given = _past_edge(waves * abs(mirrored)) / _past_edge(waves * abs(turn))
            lost *= max(1 - given, 0.0)
        left[band] = 1 - lost
    return reach * turn


@njit(cache=True, nogil=True)
def _add_transmitted(bvh, surfaces, heads, source, targets, paths):
    gain = np.empty(N_BANDS)
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
