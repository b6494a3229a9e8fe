"""Navigation graph of any mesh: the largest connected set of nodes on any floor.

The plan is sampled on a fine raster. Floor is what faces up or down, has a body's
height of air above it and keeps walls and furniture away. Neighbouring samples are
connected if a foot can pass from one to the other, so stairs and ramps are climbed,
tables are not, and the small holes of scans are stepped over. Nodes are every grid-th
sample; of all positions that the grid can take, the one with the largest connected set
of nodes wins. Nothing is random.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from av_envs.scene.bvh import Bvh, cast_rays
from av_envs.scene.importing.space import (
    BODY_HEIGHT,
    INTO_AIR,
    OUT_OF_SOLID,
    STEP_HEIGHT,
    bodies_fit,
    floors_below,
    level_steps,
    nearest_surfaces,
    stepped_over,
)
from av_envs.scene.navigation import CLEARANCE_CAP, HEAD_HEIGHT, NavigationGraph

RASTER = 0.125  # m between samples of the floor, at most
MOST_SAMPLES = 3_000_000  # of the plan; a wider one is sampled more coarsely
SOLID_SHARE = 0.01  # rooms that face their air, over those that would be inside solids
OUTDOORS_SHARE = 2.0  # ground under the sky, over the same
LEAST_BUILDING = 4.0  # m2 under one roof
BUILDING_SHARE = 0.002  # of the nodes of the largest set, which may be the land around
SKY_RAYS = 64  # from each node upwards
INDOORS = 0.5  # share of them that meet something


class Walkable(NamedTuple):
    """A graph and statistics of what it omits.

    n_islands  connected sets of nodes, the graph's own included
    n_beyond   nodes of the other sets
    open_sky   whether most nodes have nothing overhead
    """

    graph: NavigationGraph
    n_islands: int
    n_beyond: int
    open_sky: bool


class NoFloorError(ValueError):
    """A mesh has no place where a body can stand."""


def mesh_graph(bvh: Bvh, normals: np.ndarray, grid: float) -> Walkable:
    """The largest connected set of nodes on any floor of a mesh.

    normals  (T,3) float32, in the order of `bvh.triangles`
    grid     metres between nodes
    """
    per_step = _samples_per_step(bvh.boxes[0], grid)
    floors, covered, shape = _standable(bvh, normals, grid / per_step)
    steps = level_steps(floors.column, floors.z, *shape, STEP_HEIGHT)
    nodes = np.stack([_go(steps, heading, per_step) for heading in range(4)], axis=1)
    label, sizes = _components(nodes, np.ones(len(nodes), bool))
    kept = label == _largest(label, sizes, covered, grid)
    positions = np.stack([floors.x, floors.y, floors.z], 1).astype(np.float32)
    sheltered = np.zeros(len(kept), bool)
    sheltered[kept] = _sheltered(bvh, positions[kept])
    open_sky = not 2 * (sheltered & covered).sum() >= max(sheltered.sum(), 1)
    if not open_sky and not sheltered[kept].all():
        label, sizes = _components(nodes, sheltered)
        kept = label == sizes.argmax()
    graph = _graph(bvh, positions, nodes, kept, grid)
    inside = kept | covered | open_sky
    n_islands, n_beyond = _beyond(floors, np.where(inside, label, -1), kept, per_step, shape)
    return Walkable(graph, n_islands, n_beyond, open_sky)


class _Floors(NamedTuple):
    """Samples of floor, sorted by column: column number, metres, and what is above."""

    column: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray


def _samples_per_step(box: np.ndarray, grid: float) -> int:
    """Raster samples from one node to the next."""
    width, depth = (box[3:5] - box[:2]).astype(float)
    per_step = int(np.ceil(grid / RASTER - 1e-9))
    while per_step > 1 and width * depth * (per_step / grid) ** 2 > MOST_SAMPLES:
        per_step -= 1
    if width * depth * (per_step / grid) ** 2 > MOST_SAMPLES:
        raise NoFloorError(
            f"a plan of {width:.0f} x {depth:.0f} m is too wide for a {grid:g} m grid; "
            "is the unit right?"
        )
    return per_step


def _standable(
    bvh: Bvh, normals: np.ndarray, spacing: float
) -> tuple[_Floors, np.ndarray, tuple[int, int]]:
    """Every sample of floor where a body fits, whether it is covered, and the raster's shape."""
    low, high = bvh.boxes[0, :3].astype(float), bvh.boxes[0, 3:].astype(float)
    shape = tuple(int(n) for n in np.maximum(np.ceil((high - low)[:2] / spacing), 1))
    xs, ys = (
        (low[axis] + high[axis]) / 2 + spacing * (np.arange(n) - (n - 1) / 2)
        for axis, n in enumerate(shape)
    )
    x, y = (values.ravel().astype(np.float32) for values in np.meshgrid(xs, ys, indexing="ij"))
    column, z, covered, facing = floors_below(
        bvh, normals, x, y, np.float32(high[2] + 1), BODY_HEIGHT
    )
    if len(column) == 0:
        raise NoFloorError(f"no surface has {BODY_HEIGHT} m of free air above it to stand in")
    hole, beside = stepped_over(column, z, shape[0], shape[1], STEP_HEIGHT)
    _, once = np.unique(
        np.stack([hole, np.round(z[beside] / STEP_HEIGHT)]), axis=1, return_index=True
    )
    hole, beside = hole[once], beside[once]
    column, z = np.append(column, hole), np.append(z, z[beside])
    covered, facing = np.append(covered, covered[beside]), np.append(facing, facing[beside])
    keep = bodies_fit(bvh, x[column], y[column], z)
    if not keep.any():
        raise NoFloorError("a body fits nowhere: all floor is too near walls or furniture")
    if _is_wound(covered, facing):
        keep &= facing != OUT_OF_SOLID
    order = np.flatnonzero(keep)
    order = order[np.lexsort([z[order], column[order]])]
    column = column[order]
    level = np.round(z[order], 4) + np.float32(0)  # no negative zero
    return _Floors(column, x[column], y[column], level), covered[order], shape


def _is_wound(covered: np.ndarray, facing: np.ndarray) -> bool:
    """Whether triangles face the air, so that what lies behind them is solid.

    A room drawn as a box from outside has no air in it then; but it has a roof no larger
    than itself, and nothing else is there to stand on.
    """
    rooms, outdoors = (facing == INTO_AIR) & covered, (facing == INTO_AIR) & ~covered
    solids = (facing == OUT_OF_SOLID).sum()
    return rooms.sum() >= SOLID_SHARE * solids or outdoors.sum() >= OUTDOORS_SHARE * solids


def _go(steps: np.ndarray, heading: int, count: int) -> np.ndarray:
    """(F,) the sample that `count` raster steps lead to, -1 where they do not."""
    at = np.arange(len(steps))
    for _ in range(count):
        at = np.where(at >= 0, steps[at, heading], -1)
    return at


def _components(nodes: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F,) number of the connected set of each sample, -1 where not allowed, and their sizes."""
    start, heading = np.nonzero((nodes >= 0) & allowed[:, None])
    end = nodes[start, heading]
    start, end = start[allowed[end]], end[allowed[end]]
    links = coo_matrix((np.ones(len(start), bool), (start, end)), shape=(len(nodes),) * 2)
    _, label = connected_components(links, directed=False)
    label = np.where(allowed, label, -1)
    return label, np.bincount(label[allowed], minlength=1)


def _largest(label: np.ndarray, sizes: np.ndarray, covered: np.ndarray, grid: float) -> int:
    """The largest set that is mostly under a roof; of all sets, where only corners are."""
    roofed = sizes * (2 * np.bincount(label[covered], minlength=len(sizes)) > sizes)
    is_building = roofed.max() >= max(LEAST_BUILDING / grid**2, BUILDING_SHARE * sizes.max())
    return int(roofed.argmax() if is_building else sizes.argmax())


def _sheltered(bvh: Bvh, positions: np.ndarray) -> np.ndarray:
    """(n,) bool, whether most of what is overhead is built."""
    directions = sphere(2 * SKY_RAYS)
    directions = directions[directions[:, 2] > 0]
    heads = positions + np.array([0, 0, HEAD_HEIGHT], np.float32)
    _, hit = cast_rays(
        bvh,
        np.repeat(heads, len(directions), axis=0),
        np.tile(directions, (len(heads), 1)),
        np.full(len(heads) * len(directions), 1e6, np.float32),
    )
    return (hit.reshape(len(heads), -1) >= 0).mean(axis=1) >= INDOORS


def _graph(
    bvh: Bvh, positions: np.ndarray, nodes: np.ndarray, kept: np.ndarray, grid: float
) -> NavigationGraph:
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    neighbours = np.where(nodes[kept] >= 0, number[nodes[kept]], -1).astype(np.int32)
    heads = positions[kept] + np.array([0, 0, HEAD_HEIGHT], np.float32)
    clearance = nearest_surfaces(bvh, heads, np.float32(CLEARANCE_CAP))
    room = np.zeros(len(heads), np.int32)
    return NavigationGraph(positions[kept], neighbours, float(grid), room, clearance)


def _beyond(
    floors: _Floors, label: np.ndarray, kept: np.ndarray, per_step: int, shape: tuple[int, int]
) -> tuple[int, int]:
    """Connected sets and nodes outside the graph, on the grid position of the graph."""
    ix, iy = np.divmod(floors.column, shape[1])
    first = np.flatnonzero(kept)[0]
    same = (ix % per_step == ix[first] % per_step) & (iy % per_step == iy[first] % per_step)
    others = label[same & (label >= 0) & ~kept]
    return len(np.unique(others)) + 1, len(others)


def sphere(n: int) -> np.ndarray:
    """(n,3) float32, unit directions spread evenly (a Fibonacci lattice)."""
    k = np.arange(n) + 0.5
    azimuth = np.pi * (1 + 5**0.5) * k
    z = 1 - 2 * k / n
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), z], 1).astype(np.float32)
