"""The scenes in which acoustic engines are compared, and the pairs of places in them."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from av_envs.scene import Scene, load_scene, scene_name
from av_envs.scene.bvh import occluded
from av_envs.scene.materials import Material
from av_envs.scene.navigation import build_graph
from av_envs.scene.procedural.blocks import DOWN, EAST, NORTH, SOUTH, UP, WEST, Block, mesh_of
from av_envs.scene.scene import PLAIN, Room

# Whole metres and heads at half height would let reflections coincide: engines that add
# pressures would be up to 1.4 dB louder than those that add energies
SHOEBOX = (6.37, 4.23, 2.71)  # m
ASIDE = np.array([0.13, 0.31, 0.0])  # m, of the nodes from the half metres
NEAREST = 1.0  # m between the places of a pair
GREY = (200, 200, 200)


class Pair(NamedTuple):
    """Two nodes of a scene; the second stands for the ears."""

    source: int
    receiver: int
    visible: bool
    distance: float  # m


def flat(absorption: float, scattering: float = 0.0, transmission: float = 0.0) -> Material:
    """A material that is the same in all bands."""
    bands = (absorption,) * 7, (scattering,) * 7, (transmission,) * 7
    return Material("flat", *bands, "the same in all bands")


def shoebox(material: Material, size: tuple[float, float, float] = SHOEBOX) -> Scene:
    """An empty box of one material, a corner at the origin; nodes from (0.63, 0.81) on."""
    x, y, z = size
    walls = [
        ((0, 0, 0), (x, y, 0), UP),
        ((0, 0, z), (x, y, z), DOWN),
        ((0, 0, 0), (0, y, z), EAST),
        ((x, 0, 0), (x, y, z), WEST),
        ((0, 0, 0), (x, 0, z), NORTH),
        ((0, y, 0), (x, y, z), SOUTH),
    ]
    blocks = [Block(low, high, "outer_wall", GREY, PLAIN, face) for low, high, face in walls]
    mesh = mesh_of(blocks)
    floor = np.array([[0, 0, x, y]], float) - np.tile(ASIDE[:2], 2)
    around = (mesh.triangles - ASIDE).astype(np.float32)
    graph = build_graph(floor, np.zeros((0, 4)), np.zeros((0, 4)), around, 1.0)
    graph = replace(graph, positions=(graph.positions + ASIDE).astype(np.float32))
    nothing = np.zeros(len(mesh.triangles), int)
    mesh = mesh._replace(material=nothing, category=None)
    rooms = (Room("box", (0.0, 0.0, x, y)),)
    return Scene.build("shoebox", mesh, (material,), rooms, graph)


def house(index: int, material: Material | None) -> Scene:
    """Dwelling `index` of the test split, all of one material if one is given."""
    scene = load_scene(scene_name("test", index), 1.0)
    if material is None:
        return scene
    return replace(
        scene,
        name=f"{scene.name} of one material",
        material=np.zeros_like(scene.material),
        materials=(material,),
    )


def draw_pairs(scene: Scene, n: int, seed: int = 0) -> list[Pair]:
    """`n` pairs, half of which see each other where there are enough of both kinds."""
    heads = scene.graph.heads
    ends = np.random.default_rng(seed).integers(len(heads), size=(100 * n, 2))
    distance = np.linalg.norm(heads[ends[:, 0]] - heads[ends[:, 1]], axis=1)
    ends, distance = ends[distance >= NEAREST], distance[distance >= NEAREST]
    visible = ~occluded(scene.bvh, heads[ends[:, 0]], heads[ends[:, 1]])
    rank = np.empty(len(ends), int)  # in its own kind
    for kind in (False, True):
        rank[visible == kind] = np.arange(np.sum(visible == kind))
    chosen = np.argsort(rank, kind="stable")[:n]
    return [Pair(*map(int, ends[k]), bool(visible[k]), float(distance[k])) for k in chosen]
