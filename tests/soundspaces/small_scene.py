"""A room so small that all of its pairs can be written in a test."""

import numpy as np

from av_envs.acoustics import TracedAcoustics
from av_envs.scene import Room, Scene
from av_envs.scene.materials import MATERIALS
from av_envs.scene.navigation import build_graph
from av_envs.scene.procedural.blocks import DOWN, EAST, NORTH, SOUTH, UP, WEST, Block, mesh_of
from av_envs.scene.scene import PLAIN
from av_envs.soundspaces.layout import GRIDS
from av_envs.soundspaces.writing.config import Export
from av_envs.vision import ViewCache
from av_envs.worlds.base import Backend, Dwelling, WorldSettings

NAME = "small-0"
NODES = 4, 2  # eastward and northward
HEIGHT = 2.5  # m


def small_scene(grid: float = 1.0) -> Scene:
    """An empty room whose first node is at (0.5, -0.5); walls are half a step from nodes."""
    x0, y0 = 0.5 - grid / 2, -0.5 - grid / 2
    x1, y1, z1 = x0 + NODES[0] * grid, y0 + NODES[1] * grid, HEIGHT
    plaster, boards = ("stud_wall", (200, 190, 180), PLAIN), ("wood_floor", (120, 90, 60), PLAIN)
    faces = [
        Block((x0, y0, 0), (x1, y1, 0), *boards, UP, "floor"),
        Block((x0, y0, z1), (x1, y1, z1), *plaster, DOWN, "ceiling"),
        Block((x0, y0, 0), (x0, y1, z1), "masonry_wall", (150, 60, 50), PLAIN, EAST, "wall"),
        Block((x1, y0, 0), (x1, y1, z1), *plaster, WEST, "wall"),
        Block((x0, y0, 0), (x1, y0, z1), *plaster, NORTH, "wall"),
        Block((x0, y1, 0), (x1, y1, z1), *plaster, SOUTH, "wall"),
    ]
    mesh = mesh_of(faces)
    floor = np.array([[x0, y0, x1, y1]])
    nothing = np.empty((0, 4))
    graph = build_graph(floor, nothing, nothing, mesh.triangles, grid)
    rooms = (Room("room", tuple(floor[0])),)
    return Scene.build(NAME, mesh, tuple(MATERIALS.values()), rooms, graph)


class SmallWorld:
    """A world whose every split has that room only."""

    def __init__(self, grid, hrtf, kind):
        scene = small_scene(grid)
        self._dwelling = Dwelling(scene, TracedAcoustics(scene, hrtf=hrtf), ViewCache(scene))

    def names(self, split):
        return (NAME,)

    def open(self, name):
        if name != NAME:
            raise ValueError(f"unknown scene {name!r}; there is {NAME!r}")
        return self._dwelling


BACKEND = Backend("small_scene:SmallWorld")


def small_export(root, dataset="mp3d", **options) -> Export:
    """An export of that world, which BACKENDS must have as "small"."""
    world = WorldSettings("small", grid=GRIDS[dataset])
    return Export(root, world, dataset, **options)
