"""Pictures by the light of `light.py`: lamps, windows with a sky, doors, smooth edges.

Where all that a pixel covers is the same triangle one colour is worked out, elsewhere four.
"""

import numpy as np
from numba import njit

from av_envs.scene.scene import CATEGORIES, Scene
from av_envs.vision.doors import painted
from av_envs.vision.light import SIZE, UNCOUNTED, Lights, brightness, work_out
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
    rgb, missing = np.empty((*index.shape, 3), np.uint8), np.ones(index.shape, np.bool_)
    while _paint(
        rgb, missing, index, finer, scene.bvh.triangles, scene.normals, scene.colour, scene.pattern,
        scene.category, lights, eye, heading, HALF_WIDTH,
    ):  # fmt: skip
        work_out(lights, scene.bvh, scene.normals)
    return rgb


@njit(cache=True, nogil=True, fastmath=True, **UNCOUNTED)
def _paint(
    rgb, missing, index, finer, triangles, normals, colours, patterns, categories, lights, eye,
    heading, half_width,
):  # fmt: skip
    """Paint the pixels that are `missing` (size, size); return how many are so afterwards.

    finer  (2 size, 2 size) triangle in the middle of each quarter of a pixel
    A pixel stays missing where the light is not known; its texels are marked as WANTED.
    """
    size = len(index)
    whole = 2 * half_width / size
    ahead_x, ahead_y = QUARTER_COS[heading], QUARTER_SIN[heading]
    still_missing = 0
    for j in range(size):
        for i in range(size):
            if not missing[j, i]:
                continue
            k = index[j, i]
            a, b = finer[2 * j, 2 * i], finer[2 * j, 2 * i + 1]
            c, d = finer[2 * j + 1, 2 * i], finer[2 * j + 1, 2 * i + 1]
            same = a == k and b == k and c == k and d == k
            samples, share = (1, np.float32(1)) if same else (4, np.float32(0.25))
            red, green, blue, unknown = np.float32(0), np.float32(0), np.float32(0), False
            for quarter in range(samples):
                if same:
                    pixel, row, column = whole, j, i
                else:
                    pixel, row, column = whole / 2, 2 * j + quarter // 2, 2 * i + quarter % 2
                    k = finer[row, column]
                side, up = (column + 0.5) * pixel - half_width, half_width - (row + 0.5) * pixel
                colour, known = _colour(
                    k, side, up, pixel, triangles, normals, colours, patterns, categories, lights,
                    eye, ahead_x, ahead_y,
                )  # fmt: skip
                unknown |= not known
                red, green, blue = (
                    red + share * colour[0], green + share * colour[1], blue + share * colour[2]
                )  # fmt: skip
            for channel, value in enumerate((red, green, blue)):
                rgb[j, i, channel] = np.uint8(min(np.float32(255), value + 0.5))
            missing[j, i] = unknown
            still_missing += unknown
    return still_missing


@njit(inline="always", fastmath=True)
def _colour(
    k, side, up, pixel, triangles, normals, colours, patterns, categories, lights, eye, cos,
    sin,
):  # fmt: skip
    """(red, green, blue), 0 to 255 and above, of what lies `side` and `up` in the picture.

    And whether its light is known.
    """
    if k < 0:
        return (NOTHING[0], NOTHING[1], NOTHING[2]), True
    dx, dy, dz = cos + side * sin, sin - side * cos, up
    nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
    facing = nx * dx + ny * dy + nz * dz
    t = reached(triangles, normals, k, eye, dx, dy, dz)
    u, v, du, dv = place_of(nx, ny, nz, t, facing, eye, dx, dy, dz, cos, sin, pixel)
    x, y, z = eye[0] + t * dx, eye[1] + t * dy, eye[2] + t * dz
    level = abs(nz) > 0.7
    light, known = brightness(lights, k, int(facing > 0), u, v)
    # Bright places keep their colours.
    light = BRIGHTEST * (np.float32(1) - np.exp(-EXPOSURE * light))
    white = WHITE * light
    if categories[k] == WINDOW and not level:
        return _outside(u, v, lights.frames, k, dx, dy, dz, white), known
    if categories[k] == CEILING and _is_lamp(lights.lamps, x, y, z):
        return (np.float32(255), np.float32(255), np.float32(255)), known
    if categories[k] == WALL and not level and z < SKIRTING and lights.frames[k, 1] < SKIRTING:
        red, green, blue = white, white, white
    else:
        factors = tint(patterns[k], level, u, v, du, dv)
        red = np.float32(colours[k, 0] * light * factors[0])
        green = np.float32(colours[k, 1] * light * factors[1])
        blue = np.float32(colours[k, 2] * light * factors[2])
    return painted(lights.doors, k, u, v, du, dv, light, red, green, blue), known


@njit(inline="always", fastmath=True)
def _is_lamp(lamps, x, y, z):
    """Whether a lamp hangs at this place of a ceiling."""
    for lamp in range(len(lamps)):
        near = abs(lamps[lamp, 0] - x) < SIZE and abs(lamps[lamp, 1] - y) < SIZE
        if near and abs(lamps[lamp, 2] - z) < 1.0:
            return True
    return False


@njit(inline="always", fastmath=True)
def _outside(u, v, frames, k, dx, dy, dz, white):
    """(red, green, blue) of the frame of a window, or of sky and ground behind it."""
    u0, v0, u1, v1 = frames[k, 0], frames[k, 1], frames[k, 2], frames[k, 3]
    edge = min(u - u0, u1 - u, v - v0, v1 - v)
    panes = np.ceil((u1 - u0) / PANE)
    across = (u - u0) * panes / (u1 - u0)
    bar = abs(across - np.round(across)) * (u1 - u0) / panes
    if edge < FRAME or bar < BAR:
        return white, white, white
    rise = dz / np.sqrt(dx * dx + dy * dy)
    if rise < -0.03:
        return GROUND[0], GROUND[1], GROUND[2]
    share = min(max(rise, 0.0), 0.8) / 0.8
    return (
        np.float32((1 - share) * SKY_LOW[0] + share * SKY_HIGH[0]),
        np.float32((1 - share) * SKY_LOW[1] + share * SKY_HIGH[1]),
        np.float32((1 - share) * SKY_LOW[2] + share * SKY_HIGH[2]),
    )
