import numpy as np
import pytest

from av_envs.scene.materials import MATERIALS
from av_envs.scene.navigation import HEAD_HEIGHT, NavigationGraph
from av_envs.scene.procedural.blocks import (
    DOWN,
    EAST,
    NORTH,
    SOUTH,
    STANDING,
    UP,
    WEST,
    Block,
    mesh_of,
)
from av_envs.scene.scene import PLAIN, Room, Scene

RED, GREEN, BLUE, WHITE, GREY = (
    (220, 30, 30), (30, 200, 30), (40, 40, 220), (240, 240, 240), (130, 130, 130),
)  # fmt: skip
ROOM = (6.0, 4.0, 3.0)  # m
TABLE = ((4.0, 2.5, 0.0), (5.0, 3.5, 0.8))  # its south-west corner at (4, 2.5)


def room_blocks(room_size, things=()):
    """East wall red, north green, west blue, south white; floor and ceiling grey; a table.

    things  (low, high) corners of closed boxes that stand in it as well
    """
    x, y, z = room_size
    walls = [
        ((x, 0, 0), (x, y, z), RED, WEST),
        ((0, y, 0), (x, y, z), GREEN, SOUTH),
        ((0, 0, 0), (0, y, z), BLUE, EAST),
        ((0, 0, 0), (x, 0, z), WHITE, NORTH),
        ((0, 0, 0), (x, y, 0), GREY, UP),
        ((0, 0, z), (x, y, z), GREY, DOWN),
        (*TABLE, (200, 150, 20), STANDING),
        *((low, high, (180, 60, 60), STANDING) for low, high in things),
    ]
    material = next(iter(MATERIALS))
    return [Block(low, high, material, colour, PLAIN, faces) for low, high, colour, faces in walls]


def _make_scene(name="box", room_size=ROOM, pattern=PLAIN, things=()):
    blocks = [block._replace(pattern=pattern) for block in room_blocks(room_size, things)]
    mesh = mesh_of(blocks)
    positions = np.array([[1.5, 1.5, 0], [2.5, 1.5, 0]], np.float32)
    neighbours = np.array([[1, -1, -1, -1], [-1, -1, 0, -1]], np.int32)
    graph = NavigationGraph(positions, neighbours, 1.0, np.zeros(2, np.int32), np.ones(2, "f4"))
    rooms = (Room("hall", (0, 0, *room_size[:2])),)
    mesh = mesh._replace(category=None)
    return Scene.build(name, mesh, tuple(MATERIALS.values()), rooms, graph)


@pytest.fixture(scope="session")
def make_scene():
    """make_scene(name, room_size, pattern, things): a room with a table, see `room_blocks`."""
    return _make_scene


@pytest.fixture(scope="session")
def scene():
    return _make_scene()


@pytest.fixture(scope="session")
def eye():
    return np.array([1.5, 1.5, HEAD_HEIGHT])
