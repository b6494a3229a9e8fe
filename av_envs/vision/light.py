"""Light on the surfaces of a scene: lamps, their shadows, and corners that are darker.

Lamps hang where people walk, one at least in every room. What reaches a surface is worked out on a
grid of texels, the first time that a texel is seen; its value depends on the scene alone, so the
order in which views are asked for does not matter.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from av_envs.scene.bvh import any_hit, cast_rays, closest_hit
from av_envs.scene.scene import Scene
from av_envs.vision.doors import Doors, doors_of

TEXEL = 0.2  # m between places at which the light is worked out
MOST_TEXELS = 64  # of a triangle, along either side: they lie farther apart on huge ones
INSET = 0.03  # m from the edge of a triangle, where it meets others
LIFT = 0.01  # m off the surface, so that it does not hide itself
COVERED = 3.5  # m from a lamp of the same room, at most, for every node
BELOW_CEILING = 0.3  # m
REACH = 7.0  # m, at which a lamp counts no more
SIZE = 0.18  # m, half the width of a lamp: shadows have soft edges
CORNER = 1.2  # m, how far away things make a corner darker
SHUT = 0.06  # mean way out of a place, in CORNER, below which something lies on it

AMBIENT, DARKEST, POWER = 0.5, 0.3, 0.65  # from everywhere, its least share, of a lamp at hand
FALL = 2.4  # m, at which a lamp is half as bright
# In place of the brightness of a texel: under something, does not count; not known; to be known.
COVERED_UP, UNKNOWN, WANTED = np.float32([-1, -2, -3])

# To kernels that allocate nothing. Numba counts the users of every array otherwise, at every pixel
# anew, which took three quarters of the time.
UNCOUNTED: dict[str, Any] = {"_nrt": False}


class Lights(NamedTuple):
    """The lamps of a scene, and what is known of the light on its T triangles.

    lamps       (L, 3) metres
    frames      (T, 4) metres: u, v of the lowest and of the highest corner, see `surface.place_of`
    shape       (T, 2) int32, texels along u and v
    first       (T,) int64, row of the first texel
    texels      (n, 2) float32, brightness of the front and of the back; else COVERED_UP, UNKNOWN
                or WANTED
    directions  (12, 3) of rays that look for corners, about (0, 0, 1)
    doors       what is painted on walls
    """

    lamps: np.ndarray
    frames: np.ndarray
    shape: np.ndarray
    first: np.ndarray
    texels: np.ndarray
    directions: np.ndarray
    doors: Doors


def lights_of(scene: Scene) -> Lights:
    """Of a scene; nothing is worked out yet."""
    corners, normals = scene.triangles, np.abs(scene.normals)
    level, along_y = normals[:, 2] > 0.7, normals[:, 0] > normals[:, 1]
    u = np.where((level | ~along_y)[:, None], corners[:, :, 0], corners[:, :, 1])
    v = np.where(level[:, None], corners[:, :, 1], corners[:, :, 2])
    low = np.stack([u.min(axis=1), v.min(axis=1)], axis=1)
    high = np.stack([u.max(axis=1), v.max(axis=1)], axis=1)
    shape = np.clip(np.ceil((high - low) / TEXEL).astype(np.int32) + 1, 2, MOST_TEXELS)
    frames = np.concatenate([low, high], axis=1)
    # The two triangles of a rectangle share their texels.
    offsets = (scene.normals * corners[:, 0]).sum(axis=1, keepdims=True)
    planes = np.round(np.concatenate([frames, scene.normals, offsets], axis=1), 3)
    _, ones, same = np.unique(planes, axis=0, return_index=True, return_inverse=True)
    counts = shape[ones].prod(axis=1, dtype=np.int64)
    return Lights(
        lamps_of(scene).astype(np.float32),
        frames.astype(np.float32),
        shape.astype(np.int32),
        (np.cumsum(counts) - counts)[same.ravel()],
        np.full((int(counts.sum()), 2), UNKNOWN),
        _about_up().astype(np.float32),
        doors_of(scene, frames),
    )


def lamps_of(scene: Scene) -> np.ndarray:
    """(L, 3) metres: in every room so many that every node has one near, below the ceiling."""
    graph = scene.graph
    places = []
    for room in range(len(scene.rooms)):
        nodes = np.flatnonzero(graph.room == room)
        if not len(nodes):
            continue
        heads = graph.heads[nodes]
        chosen = int(np.linalg.norm(heads[:, :2] - heads[:, :2].mean(axis=0), axis=1).argmin())
        apart = np.full(len(nodes), np.inf)
        while apart.max() > COVERED:
            places.append(heads[chosen])
            apart = np.minimum(apart, np.linalg.norm(heads - heads[chosen], axis=1))
            chosen = int(apart.argmax())
    heads = np.array(places)
    up = np.broadcast_to([0.0, 0.0, 1.0], heads.shape)
    above, _ = cast_rays(scene.bvh, heads, up, np.full(len(heads), 2.0))
    heads[:, 2] += np.maximum(above - BELOW_CEILING, 0.0)
    return heads


def _about_up(n: int = 12) -> np.ndarray:
    """(n, 3) directions that fill the upper half, denser towards the top as the cosine is."""
    k = np.arange(n) + 0.5
    radius, angle = np.sqrt(k / n), k * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - k / n)], axis=1)


@njit(inline="always", fastmath=True)
def brightness(lights, k, back, u, v):
    """(brightness, whether it is known) at (u, v) of triangle k; 1 in the middle of a room.

    back  1: of the back of the triangle
    Texels that are not known are marked as WANTED for `work_out`.
    """
    frames, across, up = lights.frames, lights.shape[k, 0], lights.shape[k, 1]
    at_u = np.float32(across - 1) * _share(u, frames[k, 0], frames[k, 2])
    at_v = np.float32(up - 1) * _share(v, frames[k, 1], frames[k, 3])
    i, j = min(np.int32(at_u), across - 2), min(np.int32(at_v), up - 2)
    share_u, share_v = at_u - np.float32(i), at_v - np.float32(j)
    row = lights.first[k] + i * up + j
    a, b = lights.texels[row, back], lights.texels[row + 1, back]
    c, d = lights.texels[row + up, back], lights.texels[row + up + 1, back]
    if min(min(a, b), min(c, d)) >= 0:
        low, high = a + share_v * (b - a), c + share_v * (d - c)
        return low + share_u * (high - low), True
    return _of_the_known(lights.texels, row, up, back, share_u, share_v)


@njit(inline="always", fastmath=True)
def _share(x, low, high):
    """How far x is from low, 0, to high, 1."""
    share = (np.float32(x) - low) / max(high - low, np.float32(1e-6))
    return min(max(share, np.float32(0)), np.float32(1))


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _of_the_known(texels, row, up, back, share_u, share_v):
    """(brightness, whether it is known) between four texels, one covered up or not known."""
    total, weights, known = np.float32(0), np.float32(0), True
    for corner in range(4):
        di, dj = corner & 1, corner >> 1
        place = row + di * up + dj
        light = texels[place, back]
        if light < COVERED_UP:
            texels[place, back] = WANTED
            known = False
        elif light > COVERED_UP:
            weight = abs(1 - di - share_u) * abs(1 - dj - share_v)
            total, weights = total + weight * light, weights + weight
    return np.float32(total / weights if weights > 1e-6 else DARKEST * AMBIENT), known


@njit(cache=True, nogil=True, fastmath=True, **UNCOUNTED)
def work_out(lights, bvh, normals):
    """Make all texels known that are WANTED."""
    for k in range(len(lights.first)):
        up = lights.shape[k, 1]
        for place in range(lights.shape[k, 0] * up):
            for back in range(2):
                row = lights.first[k] + place
                if lights.texels[row, back] == WANTED:
                    light = _worked_out(lights, bvh, normals, k, back, place // up, place % up)
                    lights.texels[row, back] = light


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _worked_out(lights, bvh, normals, k, back, i, j):
    u0, v0, u1, v1 = lights.frames[k]
    across, up = lights.shape[k]
    u = min(max(u0 + (u1 - u0) * i / (across - 1), u0 + INSET), max(u1 - INSET, u0 + INSET))
    v = min(max(v0 + (v1 - v0) * j / (up - 1), v0 + INSET), max(v1 - INSET, v0 + INSET))
    sign = np.float32(1 - 2 * back)
    x, y, z = _point(bvh.triangles[k], normals[k], u, v)
    nx, ny, nz = sign * normals[k, 0], sign * normals[k, 1], sign * normals[k, 2]
    x, y, z = x + LIFT * nx, y + LIFT * ny, z + LIFT * nz
    free = _free(lights.directions, bvh, x, y, z, nx, ny, nz)
    if free < SHUT:
        return COVERED_UP
    light = AMBIENT * (DARKEST + (1 - DARKEST) * free)
    for lamp in range(len(lights.lamps)):
        light += _of_lamp(lights.lamps[lamp], bvh, x, y, z, nx, ny, nz)
    return np.float32(light)


@njit(inline="always", fastmath=True)
def _point(triangle, normal, u, v):
    """(x, y, z) of a place (u, v) in the plane of a triangle."""
    nx, ny, nz = normal
    offset = nx * triangle[0] + ny * triangle[1] + nz * triangle[2]
    if abs(nz) > 0.7:
        return u, v, (offset - nx * u - ny * v) / nz
    if abs(nx) > abs(ny):
        return (offset - ny * u - nz * v) / nx, u, v
    return u, (offset - nx * u - nz * v) / ny, v


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _free(directions, bvh, x, y, z, nx, ny, nz):
    """How far it is to what is about, from 0, shut in, to 1, nothing within CORNER metres."""
    if abs(nz) > 0.7:  # any two directions square to the normal and to each other
        size = np.sqrt(nx * nx + nz * nz)
        ax, ay, az = nz / size, 0.0, -nx / size
    else:
        size = np.sqrt(nx * nx + ny * ny)
        ax, ay, az = -ny / size, nx / size, 0.0
    bx, by, bz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
    free = 0.0
    for r in range(len(directions)):
        p, q, s = directions[r]
        dx, dy, dz = p * ax + q * bx + s * nx, p * ay + q * by + s * ny, p * az + q * bz + s * nz
        reached, _ = closest_hit(bvh, x, y, z, dx, dy, dz, 0.0, CORNER)
        free += reached / CORNER
    return free / len(directions)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _of_lamp(lamp, bvh, x, y, z, nx, ny, nz):
    """What one lamp adds; its corners are seen or hidden."""
    dx, dy, dz = lamp[0] - x, lamp[1] - y, lamp[2] - z
    metres = np.sqrt(dx * dx + dy * dy + dz * dz)
    towards = (nx * dx + ny * dy + nz * dz) / max(metres, 1e-3)
    if towards <= 0 or metres > REACH:
        return 0.0
    one = not any_hit(bvh, x, y, z, dx - SIZE, dy - SIZE, dz, 0.0, 1.0)
    other = not any_hit(bvh, x, y, z, dx + SIZE, dy + SIZE, dz, 0.0, 1.0)
    seen = 0.5 * (int(one) + int(other))
    if one != other:  # at the edge of a shadow
        one = not any_hit(bvh, x, y, z, dx - SIZE, dy + SIZE, dz, 0.0, 1.0)
        other = not any_hit(bvh, x, y, z, dx + SIZE, dy - SIZE, dz, 0.0, 1.0)
        seen = 0.5 * seen + 0.25 * (int(one) + int(other))
    near = (1 - (metres / REACH) ** 2) * 2 / (1 + (metres / FALL) ** 2)
    return seen * POWER * towards * near
