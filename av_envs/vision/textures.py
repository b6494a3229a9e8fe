"""Procedural textures: colour factors of a surface point, filtered to the pixel size.

Places are given in metres on the surface (`u` along it, `v` up or across). A pixel
covers `du` by `dv` metres; lines are averaged over that stretch and fine grain fades
out, so that textures far away turn grey instead of into false stripes.
"""

import numpy as np
from numba import njit

from av_envs.scene.scene import BOOKS, BRICKS, FABRIC, MARBLE, PLANKS, STRIPES, TILES

PLANK = (0.16, 1.3)  # m, width and length; upright on furniture
TILE = 0.33  # m
BRICK = (0.25, 0.083)  # m
WEAVE = 0.03  # m, one thread
STRIPE = 0.24  # m, one light and one dark stripe
SHELF = 0.31  # m between shelves
SPINE = 0.045  # m, one book


@njit(inline="always", fastmath=True)
def chance(a, b):
    """A number in [0, 1) that looks random but belongs to the cell (a, b)."""
    bits = np.uint32(np.int64(a) * 374761393 + np.int64(b) * 668265263)
    bits = np.uint32((bits ^ (bits >> np.uint32(13))) * np.uint32(1274126177))
    return np.float32(bits >> np.uint32(8)) * np.float32(1 / 16777216)


@njit(inline="always", fastmath=True)
def line_share(x, period, width, blur):
    """Share of [x - blur/2, x + blur/2] that lies on lines of this width, one per period."""
    blur = max(blur, np.float32(1e-4))
    a, b = (x - blur / 2) / period, (x + blur / 2) / period
    whole_a, whole_b = np.floor(a), np.floor(b)
    share_a = whole_a * width + min((a - whole_a) * period, width)
    share_b = whole_b * width + min((b - whole_b) * period, width)
    return (share_b - share_a) / blur


@njit(inline="always", fastmath=True)
def fade(detail, blur):
    """1 for detail much larger than a pixel, 0 for detail that a pixel cannot show."""
    return min(np.float32(1), max(np.float32(0), np.float32(1.5) - blur / detail))


@njit(inline="always", fastmath=True)
def _laid(u, v, du, dv, length, width, joint, depth, variety):
    """Pieces of one size in rows, every row shifted, with dark joints (planks, bricks)."""
    row = np.floor(v / width)
    shift = u + length * chance(row, 7)
    piece = chance(np.floor(shift / length), row)
    joints = max(line_share(v, width, joint, dv), line_share(shift, length, joint, du))
    shade = 1 + variety * fade(width, dv) * (piece - np.float32(0.5))
    return shade * (1 - depth * joints)


@njit(inline="always", fastmath=True)
def _woven(u, v, du, dv):
    grain = chance(np.floor(u / WEAVE), np.floor(v / WEAVE)) - np.float32(0.5)
    return 1 + np.float32(0.16) * grain * fade(WEAVE, max(du, dv))


@njit(inline="always", fastmath=True)
def _veined(u, v, du, dv):
    bend = np.sin(5 * u + 3 * v) + np.float32(0.5) * np.sin(11 * v - 7 * u)
    vein = np.abs(np.sin(4 * (u + v) + np.float32(1.6) * bend))
    return 1 - np.float32(0.3) * fade(np.float32(0.2), max(du, dv)) * max(0, 1 - 3 * vein)


@njit(inline="always", fastmath=True)
def _shelved(u, v, du, dv):
    """(red, green, blue) factors of books of many colours on dark shelves."""
    shelf = np.floor(v / SHELF)
    book = np.floor(u / SPINE + 3 * chance(shelf, 1))
    tall = np.float32(0.72) + np.float32(0.2) * chance(book, shelf)
    inside = v / SHELF - shelf
    visible = fade(np.float32(0.09), max(du, dv))
    if inside > tall or inside < np.float32(0.07):
        dark = 1 - np.float32(0.55) * visible
        return dark, dark, dark
    strength = np.float32(0.6) * visible
    return (
        1 + strength * (chance(book, shelf + 11) - np.float32(0.5)),
        1 + strength * (chance(book, shelf + 23) - np.float32(0.5)),
        1 + strength * (chance(book, shelf + 37) - np.float32(0.5)),
    )


@njit(inline="always", fastmath=True)
def tint(pattern, level, u, v, du, dv):
    """(red, green, blue) factors on the colour of a surface.

    pattern  a texture of `av_envs.scene.scene`
    level    whether the surface is a floor, a ceiling or a top
    """
    shade = np.float32(1)
    if pattern == PLANKS:
        along, across, blur, blur_across = (u, v, du, dv) if level else (v, u, dv, du)
        shade = _laid(along, across, blur, blur_across, PLANK[1], PLANK[0], 0.012, 0.45, 0.22)
    elif pattern == TILES:
        joints = max(line_share(u, TILE, 0.016, du), line_share(v, TILE, 0.016, dv))
        cell = chance(np.floor(u / TILE), np.floor(v / TILE)) - np.float32(0.5)
        shade = (1 + np.float32(0.07) * fade(TILE, max(du, dv)) * cell) * (1 - 0.4 * joints)
    elif pattern == BRICKS:
        shade = _laid(u, v, du, dv, BRICK[0], BRICK[1], 0.014, 0.35, 0.25)
    elif pattern == FABRIC:
        shade = _woven(u, v, du, dv)
    elif pattern == STRIPES:
        shade = 1 - np.float32(0.16) * line_share(u, STRIPE, STRIPE / 2, du)
    elif pattern == MARBLE:
        shade = _veined(u, v, du, dv)
    elif pattern == BOOKS and not level:
        return _shelved(u, v, du, dv)
    return shade, shade, shade
