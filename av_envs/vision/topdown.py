"""Top-down map of a scene: floors, furniture and walls in section."""

from typing import NamedTuple

import numpy as np

from av_envs.scene.bvh import cast_rays
from av_envs.scene.scene import Scene

WALL = 0.1  # m, thickness drawn around floors
MARGIN = 0.3  # m, around the dwelling
CUT = 1e-3  # m above the ceiling
BELOW_CEILING = 0.15  # m; what reaches higher is a wall, no furniture
STEP_HEIGHT = 0.05  # m, smaller steps in height get no outline
PAPER = np.array([250, 250, 248], np.float32)
WALL_COLOUR = np.array([62, 66, 74], np.uint8)
SURFACE_LIMIT = 12  # surfaces looked through from the top to the floor


class TopDownMap(NamedTuple):
    """Image of a dwelling from above, north up.

    picture           (H, W, 3) uint8
    corner            (2,) float, metres, x and y at the outer corner of the top left pixel
    pixels_per_metre  scale, the same both ways
    """

    picture: np.ndarray
    corner: np.ndarray
    pixels_per_metre: float

    def world_to_pixel(self, points: np.ndarray) -> np.ndarray:
        """Column and row (..., 2) float of points (..., 2 or 3); pixel 0 spans 0 to 1."""
        offset = np.asarray(points, float)[..., :2] - self.corner
        return offset * np.array([1, -1]) * self.pixels_per_metre


class GroundPlan(NamedTuple):
    """What a dwelling looks like from above, without colours; north up.

    floor             (H, W) bool, where one could walk but for the furniture
    things            (H, W) bool, furniture
    corner            (2,) float, metres, x and y at the outer corner of the top left pixel
    pixels_per_metre  scale, the same both ways
    """

    floor: np.ndarray
    things: np.ndarray
    corner: np.ndarray
    pixels_per_metre: float


def ground_plan(scene: Scene, pixels_per_metre: float = 10.0) -> GroundPlan:
    """The plan of a scene, see `top_down_map`."""
    seen = _from_above(scene, pixels_per_metre)
    inside = (seen.index >= 0) & ~seen.wall
    raised = _raised(scene, seen.level)
    return GroundPlan(inside, inside & raised, seen.corner, float(pixels_per_metre))


def top_down_map(scene: Scene, pixels_per_metre: float = 32.0) -> TopDownMap:
    """The map of a scene.

    The highest surface that faces up is drawn at every place: a floor pale, a piece of
    furniture in its colour with an outline, and what reaches to the ceiling as a wall. Where there
    is none within WALL of one, a wall, too.
    """
    seen = _from_above(scene, pixels_per_metre)
    picture = _paint(scene, seen.index, seen.level)
    picture[seen.wall] = WALL_COLOUR
    return TopDownMap(picture, seen.corner, float(pixels_per_metre))


class _FromAbove(NamedTuple):
    """Triangle (H, W), -1 if none, height (H, W), wall (H, W), and the top left corner."""

    index: np.ndarray
    level: np.ndarray
    wall: np.ndarray
    corner: np.ndarray


def _from_above(scene: Scene, pixels_per_metre: float) -> _FromAbove:
    if not pixels_per_metre > 0:
        raise ValueError(f"pixels_per_metre must be positive, got {pixels_per_metre}")
    low, high = scene.bounds.astype(float)
    low, high = low - MARGIN, high + MARGIN
    width, height = np.ceil((high - low)[:2] * pixels_per_metre).astype(int)
    corner = np.array([low[0], high[1]])
    columns = corner[0] + (np.arange(width) + 0.5) / pixels_per_metre
    rows = corner[1] - (np.arange(height) + 0.5) / pixels_per_metre
    ceilings = _ceilings(scene)
    top = ceilings.max() + CUT if len(ceilings) else scene.bounds[1, 2] + MARGIN
    index, level = _surfaces_from_above(scene, columns, rows, float(top))
    wall = (index < 0) & _near(index >= 0, max(1, round(WALL * pixels_per_metre)))
    if len(ceilings):  # of a mesh, whose walls may be closed boxes
        wall |= level > np.median(ceilings) - BELOW_CEILING
    return _FromAbove(index, level, wall, corner)


def _ceilings(scene: Scene) -> np.ndarray:
    """(K,) metres, how high the ceilings over the nodes are; none under the open sky.

    The map is cut just above the highest: attics and roofs are left out.
    """
    heads, far = scene.graph.heads, 1e6
    t, _ = cast_rays(
        scene.bvh,
        heads,
        np.broadcast_to(np.array([0, 0, 1], np.float32), heads.shape),
        np.full(len(heads), far, np.float32),
    )
    return (heads[:, 2] + t)[t < far]


def _surfaces_from_above(
    scene: Scene, columns: np.ndarray, rows: np.ndarray, top: float
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) triangle that faces up first, -1 if none, and its height in metres."""
    x, y = np.meshgrid(columns, rows)
    origins = np.stack([x.ravel(), y.ravel(), np.full(x.size, top)], 1).astype(np.float32)
    index = np.full(x.size, -1, np.int32)
    level = np.full(x.size, np.nan, np.float32)
    open_rays = np.arange(x.size)
    for _ in range(SURFACE_LIMIT):
        t, hit = cast_rays(
            scene.bvh,
            origins[open_rays],
            np.broadcast_to(np.array([0, 0, -1], np.float32), (len(open_rays), 3)),
            np.full(len(open_rays), 1e6, np.float32),
        )
        found = hit >= 0
        open_rays, t, hit = open_rays[found], t[found], hit[found]
        origins[open_rays, 2] -= t + 1e-4
        upward = scene.normals[hit, 2] > 0.1
        index[open_rays[upward]] = hit[upward]
        level[open_rays[upward]] = origins[open_rays[upward], 2]
        open_rays = open_rays[~upward]
        if len(open_rays) == 0:
            break
    return index.reshape(x.shape), level.reshape(x.shape)


def _paint(scene: Scene, index: np.ndarray, level: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: pale floors, coloured and outlined furniture, paper elsewhere."""
    covered = index >= 0
    strength = np.where(covered & _raised(scene, level), 0.62, 0.30)[..., None]
    picture = PAPER + strength * (scene.colour[index] - PAPER)
    picture[_edges(level)] *= 0.62
    picture[~covered] = PAPER
    return (picture + 0.5).astype(np.uint8)


def _raised(scene: Scene, level: np.ndarray) -> np.ndarray:
    """(H, W) bool: what is higher than the lowest floor."""
    return level > float(scene.graph.positions[:, 2].min()) + STEP_HEIGHT


def _edges(level: np.ndarray) -> np.ndarray:
    """(H, W) bool: the upper side of every step in height."""
    edge = np.zeros(level.shape, bool)
    for axis in (0, 1):
        step = np.diff(level, axis=axis)
        before = [slice(None), slice(None)]
        after = [slice(None), slice(None)]
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edge[tuple(before)] |= step < -STEP_HEIGHT
        edge[tuple(after)] |= step > STEP_HEIGHT
    return edge


def _near(mask: np.ndarray, distance: int) -> np.ndarray:
    """(H, W) bool: within `distance` pixels of the mask along both axes."""
    for axis in (0, 1):
        grown = mask.copy()
        for shift in range(1, distance + 1):
            grown |= np.roll(mask, shift, axis) | np.roll(mask, -shift, axis)
        mask = grown
    return mask
