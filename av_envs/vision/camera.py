"""Pinhole camera at eye height: RGB, depth and category images."""

import numpy as np
from numba import njit

from av_envs.scene.scene import VOID, Scene
from av_envs.vision.light import Lights
from av_envs.vision.lit import lit
from av_envs.vision.surface import place_of, reached
from av_envs.vision.textures import tint
from av_envs.vision.visibility import (
    HALF_WIDTH,
    QUARTER_COS,
    QUARTER_SIN,
    visible_triangles,
)

IMAGE_SIZE = 128  # pixels
MAX_DEPTH = 10.0  # m, farther things are as far as this in the depth image
SKY = np.array([196, 214, 230], np.uint8)  # colour where nothing is

AMBIENT, LAMP, SUN = 0.54, 0.22, 0.30  # light from everywhere, from the eye, from one side
SUN_DIRECTION = np.array([0.36, 0.48, 0.8])  # unit; no two faces of a box are equally bright


def render_rgbd(
    scene: Scene,
    position: np.ndarray,
    heading: int,
    size: int = IMAGE_SIZE,
    lights: Lights | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """RGB and depth image of an upright camera that looks along a heading.

    position  (3,) metres, of the eye
    heading   0 east, 1 north, 2 west, 3 south
    lights    of the scene, by which it is lit; None: every surface is as bright as its direction
              says, without shadows
    Returns rgb (size, size, 3) uint8, row 0 on top, column 0 on the left, and depth
    (size, size) float32, metres along the optical axis, at most MAX_DEPTH.
    """
    eye = _checked_eye(position, heading)
    index = visible_triangles(scene.bvh, eye, int(heading), size, HALF_WIDTH)
    seen = index, scene.bvh.triangles, scene.normals
    if lights is not None:
        rgb = lit(scene, lights, eye, int(heading), index)
        return rgb, _depth(*seen, eye, int(heading), HALF_WIDTH)
    return _shade(*seen, scene.colour, scene.pattern, eye, int(heading), HALF_WIDTH)


def render_labels(
    scene: Scene, position: np.ndarray, heading: int, size: int = IMAGE_SIZE
) -> np.ndarray:
    """(size, size) uint8, index into CATEGORIES of each pixel of `render_rgbd`."""
    eye = _checked_eye(position, heading)
    index = visible_triangles(scene.bvh, eye, int(heading), size, HALF_WIDTH)
    return np.append(scene.category, np.uint8(VOID))[index]  # -1, nothing there, is the last


def _checked_eye(position: np.ndarray, heading: int) -> np.ndarray:
    if heading not in (0, 1, 2, 3):
        raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
    eye = np.asarray(position, float)
    if eye.shape != (3,):
        raise ValueError(f"position must be (x, y, z) in metres, got shape {eye.shape}")
    return eye


@njit(cache=True, nogil=True, fastmath=True)
def _shade(index, triangles, normals, colours, patterns, eye, heading, half_width):
    """(rgb, depth) of the triangles in `index` (size, size)."""
    size = len(index)
    rgb, depth = np.empty((size, size, 3), np.uint8), np.empty((size, size), np.float32)
    cos, sin = QUARTER_COS[heading], QUARTER_SIN[heading]
    pixel = 2 * half_width / size
    for j in range(size):
        dz = half_width - (j + 0.5) * pixel
        for i in range(size):
            k = index[j, i]
            if k < 0:
                rgb[j, i], depth[j, i] = SKY, MAX_DEPTH
                continue
            side = (i + 0.5) * pixel - half_width
            dx, dy = cos + side * sin, sin - side * cos
            nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
            facing = nx * dx + ny * dy + nz * dz
            t = reached(triangles, normals, k, eye, dx, dy, dz)
            depth[j, i] = min(t, MAX_DEPTH)
            light = _light(nx, ny, nz, facing, dx, dy, dz)
            u, v, du, dv = place_of(nx, ny, nz, t, facing, eye, dx, dy, dz, cos, sin, pixel)
            factors = tint(patterns[k], abs(nz) > 0.7, u, v, du, dv)
            for channel in range(3):
                value = colours[k, channel] * light * factors[channel]
                rgb[j, i, channel] = np.uint8(min(255.0, value + 0.5))
    return rgb, depth


@njit(cache=True, nogil=True, fastmath=True)
def _depth(index, triangles, normals, eye, heading, half_width):
    """The depth of `_shade`."""
    size = len(index)
    depth = np.empty((size, size), np.float32)
    cos, sin = QUARTER_COS[heading], QUARTER_SIN[heading]
    pixel = 2 * half_width / size
    for j in range(size):
        dz = half_width - (j + 0.5) * pixel
        for i in range(size):
            k = index[j, i]
            side = (i + 0.5) * pixel - half_width
            dx, dy = cos + side * sin, sin - side * cos
            depth[j, i] = (
                MAX_DEPTH
                if k < 0
                else min(reached(triangles, normals, k, eye, dx, dy, dz), MAX_DEPTH)
            )
    return depth


@njit(inline="always", fastmath=True)
def _light(nx, ny, nz, facing, dx, dy, dz):
    """Brightness of a surface, seen along d from the side its normal does or does not face."""
    flip = -1.0 if facing > 0 else 1.0
    lamp = abs(facing) / np.sqrt(dx * dx + dy * dy + dz * dz)
    towards = nx * SUN_DIRECTION[0] + ny * SUN_DIRECTION[1] + nz * SUN_DIRECTION[2]
    return AMBIENT + LAMP * lamp + SUN * (0.5 + 0.5 * flip * towards)
