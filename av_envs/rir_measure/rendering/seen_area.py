"""The part of the plan that a robot has seen; drawn in pictures, no score depends on it."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from av_envs.conventions import HEADING_STEPS, N_HEADINGS
from av_envs.scene import Scene
from av_envs.scene.bvh import cast_rays
from av_envs.vision.topdown import WALL, TopDownMap

REACH = 10.0  # m, farther is not seen; the depth camera ends there as well
N_RAYS = 721  # over the quarter turn of a view
REMEMBERED = 2048  # areas of one pose, some 36 kB each

QUARTER = np.array(HEADING_STEPS, np.float32)  # ahead, per heading


def seen_area(scene: Scene, plan: TopDownMap, poses: Collection[tuple[int, int]]) -> np.ndarray:
    """(H, W) bool: the pixels of the plan that lie in the view of at least one pose.

    poses  (node, heading); a view is a quarter turn wide, ends at what stands as high as the
           eyes and includes that wall
    """
    height, width = plan.picture.shape[:2]
    seen = np.zeros((height * width + 7) // 8, np.uint8)
    for pose in set(poses):
        seen |= _view(scene, plan.pixels_per_metre, (height, width), tuple(plan.corner), *pose)
    return np.unpackbits(seen, count=height * width).reshape(height, width).astype(bool)


@lru_cache(maxsize=REMEMBERED)
def _view(
    scene: Scene,
    pixels_per_metre: float,
    shape: tuple[int, int],
    corner: tuple[float, float],
    node: int,
    heading: int,
) -> np.ndarray:
    """The area seen from one pose, eight pixels to a byte."""
    eye = scene.graph.heads[node]
    x = corner[0] + (np.arange(shape[1], dtype=np.float32) + 0.5) / pixels_per_metre - eye[0]
    y = corner[1] - (np.arange(shape[0], dtype=np.float32) + 0.5) / pixels_per_metre - eye[1]
    along_x = heading % 2 == 0
    forward = QUARTER[heading].sum() * (x if along_x else y)
    sideways = y if along_x else x
    # places that lie ahead, as a small grid of their own: lines ahead by lines across
    ahead, across = np.flatnonzero(forward > 0), np.flatnonzero(np.abs(sideways) < REACH)
    forward, sideways = forward[ahead, None], sideways[None, across]
    slope = sideways / forward
    inside = np.abs(slope) <= 1
    ray = np.where(inside, (slope + 1) * ((N_RAYS - 1) / 2) + 0.5, 0).astype(np.intp)
    near = inside & (forward <= _depths(scene, node, heading)[ray])
    near &= np.square(forward) + np.square(sideways) <= REACH**2
    seen = np.zeros(shape, bool)
    if along_x:
        seen[np.ix_(across, ahead)] = near.T
    else:
        seen[np.ix_(ahead, across)] = near
    return np.packbits(seen)


def _depths(scene: Scene, node: int, heading: int) -> np.ndarray:
    """(N_RAYS,) float32 metres ahead, wall included, by even steps of sideways over ahead."""
    slopes = np.linspace(-1, 1, N_RAYS, dtype=np.float32)
    sideways = np.abs(QUARTER[(heading + 1) % N_HEADINGS])
    directions = np.zeros((N_RAYS, 3), np.float32)
    directions[:, :2] = QUARTER[heading] + slopes[:, None] * sideways
    eye = np.broadcast_to(scene.graph.heads[node], (N_RAYS, 3))
    depths, _ = cast_rays(scene.bvh, eye, directions, np.full(N_RAYS, REACH, np.float32))
    return depths + np.float32(WALL)
