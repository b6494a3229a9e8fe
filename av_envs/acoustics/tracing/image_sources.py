"""Direct sound and early specular reflections, exact to the sample, by image sources.

In a furnished house most sequences of mirrors have no valid path, so rays discover the
sequences worth testing: each plane that a specular ray meets is a mirror, and the path
from each place back to the source is then tested. Allen and Berkley, "Image method for
efficiently simulating small-room acoustics", JASA 1979; discovery by rays after
Vorlaender, "Simulation of the transient and steady-state sound propagation in
rooms using a new combined ray-tracing/image-source algorithm", JASA 1989.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.acoustics.response import MIN_LENGTH, Paths
from av_envs.acoustics.tracing.cpu import FAR, NEAR, OFFSET
from av_envs.acoustics.tracing.scattering import first_direction
from av_envs.acoustics.tracing.surfaces import reflected_energy
from av_envs.conventions import N_BANDS
from av_envs.scene import Scene
from av_envs.scene.bvh import any_hit, closest_hit

N_DISCOVERY_RAYS = 4096
MAX_IMAGES = 48  # kept per place; the response keeps the 16 strongest paths on their own
SPARE_SLOTS = 2  # for a way around corners and one through walls
TOLERANCE = 1e-3  # m and unit-vector components, for triangles of one plane
MARGIN = 0.01  # m around mirrors, more than rays and images can disagree
SAME_PLACE = 0.05  # m: nearer than that, the source counts as above the listener


class Mirrors(NamedTuple):
    """Planes of the scene; coplanar triangles of one material share one.

    plane      (T,) int32, plane of each triangle
    normals    (P, 3) float32 unit, offsets (P,) float32 metres: normal . x = offset
    bounds     (P, 6) float32 metres, lowest and highest corner of the plane's triangles
    amplitude  (P, 7) float32, what a specular reflection leaves of a pressure wave
    """

    plane: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray
    bounds: np.ndarray
    amplitude: np.ndarray


def find_mirrors(scene: Scene) -> Mirrors:
    """Sort the scene's triangles into planes."""
    normals = scene.normals.astype(float)
    largest = np.abs(normals).argmax(axis=1)[:, None]
    normals = normals * np.sign(np.take_along_axis(normals, largest, 1))  # one sign per plane
    offsets = np.sum(normals * scene.bvh.triangles[:, :3], axis=1)
    keys = np.column_stack([np.round(normals / TOLERANCE), np.round(offsets / TOLERANCE)])
    keys = np.column_stack([keys, scene.material]).astype(np.int64)
    _, first, plane = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    plane = plane.ravel()
    bounds = np.tile(np.float32([np.inf] * 3 + [-np.inf] * 3), (len(first), 1))
    np.minimum.at(bounds[:, :3], plane, scene.triangles.min(axis=1) - MARGIN)
    np.maximum.at(bounds[:, 3:], plane, scene.triangles.max(axis=1) + MARGIN)
    reflected = reflected_energy(scene) * (1 - scene.scattering)
    return Mirrors(
        plane.astype(np.int32),
        normals[first].astype(np.float32),
        offsets[first].astype(np.float32),
        bounds,
        np.sqrt(reflected)[scene.material[first]].astype(np.float32),
    )


def image_paths(
    scene: Scene, mirrors: Mirrors, source: np.ndarray, places: np.ndarray, order: int = 2
) -> Paths:
    """Direct and specular paths of at most `order` reflections from a source to all places.

    source  (3,) metres
    places  (N, 3) metres
    """
    source = np.asarray(source, np.float32)
    places = np.ascontiguousarray(places, np.float32)
    met = np.full((N_DISCOVERY_RAYS, max(order, 1)), -1, np.int32)
    if order > 0:
        _follow_mirrors(scene.bvh, scene.normals, mirrors.plane, source, met)
    sequences = _distinct_prefixes(met, len(mirrors.offsets))
    paths = Paths.empty(len(places), MAX_IMAGES + SPARE_SLOTS)
    _find_paths(scene.bvh, mirrors, sequences, source, places, paths)
    return paths


def _distinct_prefixes(met: np.ndarray, n_planes: int) -> np.ndarray:
    """(S, order) sequences of planes, -1 after their end; the first is the empty one."""
    order = met.shape[1]
    found = [np.full((1, order), -1, np.int32)]
    for length in range(1, order + 1):
        prefixes = met[(met[:, :length] >= 0).all(axis=1), :length].astype(np.int64)
        codes = np.unique(prefixes @ (n_planes ** np.arange(length)))
        block = np.full((len(codes), order), -1, np.int32)
        for k in range(length):
            block[:, k] = codes // n_planes**k % n_planes
        found.append(block)
    return np.concatenate(found)


@njit(cache=True, nogil=True, fastmath=True)
def _follow_mirrors(bvh, normals, plane, source, met):
    """Send specular rays out and note the planes they meet, (rays, order)."""
    for ray in range(met.shape[0]):
        dx, dy, dz = first_direction(ray, met.shape[0], np.float32(0.5))
        ox, oy, oz = source
        for k in range(met.shape[1]):
            t, triangle = closest_hit(bvh, ox, oy, oz, dx, dy, dz, NEAR, FAR)
            if triangle < 0:
                break
            met[ray, k] = plane[triangle]
            nx, ny, nz = normals[triangle]
            facing = dx * nx + dy * ny + dz * nz
            side = -np.sign(facing) * OFFSET
            ox, oy, oz = ox + t * dx + side * nx, oy + t * dy + side * ny, oz + t * dz + side * nz
            dx, dy, dz = dx - 2 * facing * nx, dy - 2 * facing * ny, dz - 2 * facing * nz


@njit(cache=True, nogil=True, fastmath=True)
def _find_paths(bvh, mirrors, sequences, source, places, paths):
    """Test every sequence at every place and fill `paths`."""
    n_sequences, order = sequences.shape
    images = np.empty((n_sequences, order + 1, 3), np.float32)
    for s in range(n_sequences):
        images[s, 0] = source
        for k in range(order):
            p = sequences[s, k]
            if p < 0:
                break
            height = np.dot(images[s, k], mirrors.normals[p]) - mirrors.offsets[p]
            images[s, k + 1] = images[s, k] - 2 * height * mirrors.normals[p]
    for s in range(n_sequences):
        depth = 0
        while depth < order and sequences[s, depth] >= 0:
            depth += 1
        sequence, chain = sequences[s], images[s]
        for place in range(len(places)):
            x, y, z = places[place, 0], places[place, 1], places[place, 2]
            if not _may_be_open(mirrors, sequence, chain, depth, x, y, z):
                continue
            if _is_open(bvh, mirrors, sequence, chain, depth, places[place]):
                _keep(paths, place, mirrors, sequence, depth, chain[depth], places[place])


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _may_be_open(mirrors, sequence, images, depth, x, y, z):
    """Whether the path from (x, y, z) meets the bounds of its mirrors: a cheap first test."""
    normals, bounds = mirrors.normals, mirrors.bounds
    for k in range(depth - 1, -1, -1):
        p = np.uint64(sequence[k])
        nx, ny, nz = normals[p, 0], normals[p, 1], normals[p, 2]
        dx, dy, dz = images[k + 1, 0] - x, images[k + 1, 1] - y, images[k + 1, 2] - z
        approach = dx * nx + dy * ny + dz * nz
        height = mirrors.offsets[p] - (x * nx + y * ny + z * nz)
        # share of the way to the image at which the mirror is met: between 0 and 1
        if not np.float32(0) < height * approach < approach * approach:
            return False
        along = height / approach
        x, y, z = x + along * dx, y + along * dy, z + along * dz
        if x < bounds[p, 0] or y < bounds[p, 1] or z < bounds[p, 2]:
            return False
        if x > bounds[p, 3] or y > bounds[p, 4] or z > bounds[p, 5]:
            return False
    return True


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _is_open(bvh, mirrors, sequence, images, depth, place):
    """Whether the path from the place back over the mirrors to the source is free."""
    x, y, z = place
    for k in range(depth - 1, -1, -1):
        p = sequence[k]
        image, normal = images[k + 1], mirrors.normals[p]
        dx, dy, dz = image[0] - x, image[1] - y, image[2] - z
        approach = dx * normal[0] + dy * normal[1] + dz * normal[2]
        height = mirrors.offsets[p] - (x * normal[0] + y * normal[1] + z * normal[2])
        if abs(approach) < np.float32(1e-6):
            return False
        along = height / approach  # share of the way to the image at which the mirror is met
        if along <= np.float32(1e-5) or along >= np.float32(1.0):
            return False
        t, triangle = closest_hit(
            bvh, x, y, z, dx, dy, dz, np.float32(0.0), along * np.float32(1.001) + np.float32(1e-5)
        )
        if triangle < 0 or mirrors.plane[triangle] != p:
            return False
        side = -np.sign(approach) * OFFSET
        x, y, z = x + t * dx, y + t * dy, z + t * dz
        x, y, z = x + side * normal[0], y + side * normal[1], z + side * normal[2]
    source = images[0]
    dx, dy, dz = source[0] - x, source[1] - y, source[2] - z
    return not any_hit(bvh, x, y, z, dx, dy, dz, np.float32(0.0), np.float32(0.9999))


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _keep(paths, place, mirrors, sequence, depth, image, listener):
    """Add a path, in place of the weakest one when all slots are taken."""
    dx, dy, dz = image[0] - listener[0], image[1] - listener[1], image[2] - listener[2]
    length = np.sqrt(dx * dx + dy * dy + dz * dz)
    if length < SAME_PLACE:
        dx, dy, dz, length = np.float32(0.0), np.float32(0.0), MIN_LENGTH, MIN_LENGTH
    slot = paths.count[place]
    if slot == MAX_IMAGES:
        slot = np.argmax(paths.length[place, :MAX_IMAGES])  # the weakest, or nearly
        if paths.length[place, slot] <= length:
            return
    else:
        paths.count[place] += 1
    direction = paths.direction[place, slot]
    direction[0], direction[1], direction[2] = dx / length, dy / length, dz / length
    paths.length[place, slot] = max(length, MIN_LENGTH)
    for band in range(N_BANDS):
        gain = np.float32(1.0)
        for k in range(depth):
            gain *= mirrors.amplitude[sequence[k], band]
        paths.gain[place, slot, band] = gain
