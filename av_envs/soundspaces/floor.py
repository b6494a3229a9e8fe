"""Scene of a bare navigation graph, for maps: a floor tile per node, walls where no edge is."""

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene import CATEGORIES, MATERIALS, NavigationGraph, Room, Scene
from av_envs.scene.navigation import BODY_RADIUS, STEPS
from av_envs.scene.scene import PLAIN, Mesh

CEILING = 2.4  # m above the floor
SURFACES = {"floor": (214, 202, 180), "ceiling": (236, 236, 232), "wall": (224, 222, 216)}
MATERIAL = "masonry_wall"  # nothing is traced in here


def floor_scene(name: str, positions: np.ndarray, neighbours: np.ndarray, grid: float) -> Scene:
    """Tiles of floor and ceiling of the size of the grid, and a wall where no step leads.

    positions   (N, 3) metres, on the floor
    neighbours  (N, 4) by heading, -1 where no step leads
    """
    positions = np.asarray(positions, np.float32)
    low, high = positions.min(axis=0), positions.max(axis=0)
    half = grid / 2
    bounds = (*(float(x) - half for x in low[:2]), *(float(x) + half for x in high[:2]))
    n = len(positions)
    graph = NavigationGraph(
        positions=positions,
        neighbours=np.asarray(neighbours, np.int32),
        grid=grid,
        room=np.zeros(n, np.int32),
        clearance=np.full(n, BODY_RADIUS, np.float32),  # unknown
    )
    squares = {"floor": _tiles(positions, half), "ceiling": _tiles(positions, half)[:, ::-1]}
    squares["ceiling"] = squares["ceiling"] + np.array([0, 0, CEILING])
    squares["wall"] = _walls(positions, graph.neighbours, half)
    counts = {what: 2 * len(corners) for what, corners in squares.items()}
    triangles = np.concatenate([_halves(corners) for corners in squares.values()])
    mesh = Mesh(
        triangles,
        material=np.zeros(len(triangles), np.int32),
        colour=np.concatenate([np.tile(SURFACES[what], (k, 1)) for what, k in counts.items()]),
        pattern=np.full(len(triangles), PLAIN),
        category=np.repeat([CATEGORIES.index(what) for what in counts], list(counts.values())),
    )
    return Scene.build(name, mesh, (MATERIALS[MATERIAL],), (Room(name, bounds),), graph)


def _tiles(positions: np.ndarray, half: float) -> np.ndarray:
    """(N, 4, 3) corners of the tiles, counter-clockwise from above."""
    corners = half * np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)])
    return positions[:, None] + corners


def _walls(positions: np.ndarray, neighbours: np.ndarray, half: float) -> np.ndarray:
    """(W, 4, 3) corners of upright rectangles that face the node they belong to."""
    walls = [np.empty((0, 4, 3))]
    for heading in range(N_HEADINGS):
        ahead, left = STEPS[heading], STEPS[(heading + 1) % N_HEADINGS]
        foot = positions[neighbours[:, heading] < 0, None]
        ends = [half * (ahead + side * left) for side in (1, -1)]
        corners = np.array([(*ends[0], 0), (*ends[1], 0), (*ends[1], CEILING), (*ends[0], CEILING)])
        walls.append(foot + corners)
    return np.concatenate(walls)


def _halves(corners: np.ndarray) -> np.ndarray:
    """(2 R, 3, 3) triangles of rectangles (R, 4, 3)."""
    return np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
