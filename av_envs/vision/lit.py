"""Pictures by the light of `light.py`: lamps, windows with a sky, skirting, smooth edges.

Where all that a pixel covers is the same triangle one colour is worked out, elsewhere four.
"""

import numpy as np
from numba import njit

from av_envs.scene.scene import CATEGORIES, Scene
from av_envs.vision.light import SIZE, Lights, brightness, work_out
from av_envs.vision.surface import place_of, reached
from av_envs.vision.textures import tint
from av_envs.vision.visibility import HALF_WIDTH, QUARTER_COS, QUARTER_SIN, visible_triangles

WALL, CEILING, WINDOW = (CATEGORIES.index(name) for name in ("wall", "ceiling", "window"))
SKY_HIGH, SKY_LOW, GROUND = (
    np.array(colour, np.float32) for colour in ([118, 168, 226], [226, 237, 245], [128, 138, 104])
)
NOTHING = np.array([196, 214, 230], np.float32)  # where a scene has a hole
FRAME, BAR = 0.06, 0.035  # m, width of a window's frame and of the bars between its panes
PANE = 0.75  # m, at most
SKIRTING = 0.09  # m
WHITE = np.float32(236)
BRIGHTEST, EXPOSURE = np.float32(1.06), np.float32(1.5)  # what light tends to, and how soon


def lit(
    scene: Scene, lights: Lights, eye: np.ndarray, heading: int, index: np.ndarray
) -> np.ndarray:
    """(size, size, 3) uint8.

    eye    (3,) metres
    index  (size, size) triangle in the middle of each pixel, -1 where there is none
    """
    finer = visible_triangles(scene.bvh, eye, heading, 2 * len(index), HALF_WIDTH)
    missed = np.ones(1, np.int64)
    while missed[0]:
        missed[0] = 0
        rgb = _painted(
            index, finer, scene.bvh.triangles, scene.normals, scene.colour, scene.pattern,
            scene.category, lights, eye, heading, HALF_WIDTH, missed,
        )  # fmt: skip
        if missed[0]:
            work_out(lights, scene.bvh, scene.normals)
    return rgb


@njit(cache=True, nogil=True, fastmath=True)
def _painted(
    index, finer, triangles, normals, colours, patterns, categories, lights, eye, heading,
    half_width, missed,
):  # fmt: skip
    """(size, size, 3) uint8; `finer` (2 size, 2 size) is the middle of the quarters of a pixel."""
    size = len(index)
    rgb = np.empty((size, size, 3), np.uint8)
    pixel = 2 * half_width / size
    colour, total = np.empty(3, np.float32), np.empty(3, np.float32)
    for j in range(size):
        for i in range(size):
            k = index[j, i]
            a, b = finer[2 * j, 2 * i], finer[2 * j, 2 * i + 1]
            c, d = finer[2 * j + 1, 2 * i], finer[2 * j + 1, 2 * i + 1]
            if a == k and b == k and c == k and d == k:
                side, up = (i + 0.5) * pixel - half_width, half_width - (j + 0.5) * pixel
                _colour(
                    k, side, up, pixel, triangles, normals, colours, patterns, categories, lights,
                    eye, heading, missed, total,
                )  # fmt: skip
            else:
                total[:] = 0
                for quarter in range(4):
                    row, column = 2 * j + quarter // 2, 2 * i + quarter % 2
                    side = (column + 0.5) * pixel / 2 - half_width
                    up = half_width - (row + 0.5) * pixel / 2
                    _colour(
                        finer[row, column], side, up, pixel / 2, triangles, normals, colours,
                        patterns, categories, lights, eye, heading, missed, colour,
                    )  # fmt: skip
                    for channel in range(3):
                        total[channel] += colour[channel] / 4
            for channel in range(3):
                rgb[j, i, channel] = np.uint8(min(np.float32(255), total[channel] + 0.5))
    return rgb


@njit(inline="always", fastmath=True)
def _colour(
    k, side, up, pixel, triangles, normals, colours, patterns, categories, lights, eye, heading,
    missed, colour,
):  # fmt: skip
    """Fill `colour` (3,), 0 to 255 and above, with what lies `side` and `up` in the picture."""
    if k < 0:
        colour[:] = NOTHING
        return
    cos, sin = QUARTER_COS[heading], QUARTER_SIN[heading]
    dx, dy, dz = cos + side * sin, sin - side * cos, up
    nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
    facing = nx * dx + ny * dy + nz * dz
    t = reached(triangles, normals, k, eye, dx, dy, dz)
    u, v, du, dv = place_of(nx, ny, nz, t, facing, eye, dx, dy, dz, cos, sin, pixel)
    x, y, z = eye[0] + t * dx, eye[1] + t * dy, eye[2] + t * dz
    level = abs(nz) > 0.7
    light = brightness(lights, k, int(facing > 0), u, v, missed)
    light = BRIGHTEST * (
        np.float32(1) - np.exp(-EXPOSURE * light)
    )  # bright places keep their colours
    if categories[k] == WINDOW and not level:
        _outside(u, v, lights.frames, k, dx, dy, dz, light, colour)
        return
    if categories[k] == CEILING and _is_lamp(lights.lamps, x, y, z):
        colour[:] = 255
        return
    if categories[k] == WALL and not level and z < SKIRTING and lights.frames[k, 1] < SKIRTING:
        colour[:] = WHITE * light
        return
    factors = tint(patterns[k], level, u, v, du, dv)
    for channel in range(3):
        colour[channel] = colours[k, channel] * light * factors[channel]


@njit(inline="always", fastmath=True)
def _is_lamp(lamps, x, y, z):
    """Whether a lamp hangs at this place of a ceiling."""
    for lamp in range(len(lamps)):
        near = abs(lamps[lamp, 0] - x) < SIZE and abs(lamps[lamp, 1] - y) < SIZE
        if near and abs(lamps[lamp, 2] - z) < 1.0:
            return True
    return False


@njit(inline="always", fastmath=True)
def _outside(u, v, frames, k, dx, dy, dz, light, colour):
    """Fill `colour` with the frame of a window, or sky and ground behind it."""
    u0, v0, u1, v1 = frames[k, 0], frames[k, 1], frames[k, 2], frames[k, 3]
    edge = min(u - u0, u1 - u, v - v0, v1 - v)
    panes = np.ceil((u1 - u0) / PANE)
    across = (u - u0) * panes / (u1 - u0)
    bar = abs(across - np.round(across)) * (u1 - u0) / panes
    if edge < FRAME or bar < BAR:
        colour[:] = WHITE * light
        return
    rise = dz / np.sqrt(dx * dx + dy * dy)
    if rise < -0.03:
        colour[:] = GROUND
        return
    share = min(max(rise, 0.0), 0.8) / 0.8
    for channel in range(3):
        colour[channel] = (1 - share) * SKY_LOW[channel] + share * SKY_HIGH[channel]
