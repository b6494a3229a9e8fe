"""Rooms with an answer known in closed form."""

import numpy as np

from av_envs.conventions import SPEED_OF_SOUND
from av_envs.scene import Room, Scene
from av_envs.scene.materials import Material
from av_envs.scene.navigation import HEAD_HEIGHT, NavigationGraph
from av_envs.scene.scene import Mesh

QUADS = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]


def box(low, high, *, inside=True) -> np.ndarray:
    """(12, 3, 3) triangles of a box that faces inwards or outwards."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    base = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    corners = np.array([(*p, z0) for p in base] + [(*p, z1) for p in base], float)
    triangles = [[corners[q[i]] for i in t] for q in QUADS for t in ((0, 1, 2), (0, 2, 3))]
    return np.array(triangles)[:, ::-1] if inside else np.array(triangles)


def flat_material(absorption, scattering=0.0, transmission=0.0, name="flat") -> Material:
    return Material(name, (absorption,) * 7, (scattering,) * 7, (transmission,) * 7, "closed form")


def scene_of(triangles, material, materials, heads, name="test") -> Scene:
    """A scene whose nodes have their heads at `heads` (N, 3)."""
    heads = np.asarray(heads, np.float32)
    graph = NavigationGraph(
        positions=heads - np.array([0, 0, HEAD_HEIGHT], np.float32),
        neighbours=np.full((len(heads), 4), -1, np.int32),
        grid=1.0,
        room=np.zeros(len(heads), np.int32),
        clearance=np.full(len(heads), 0.4, np.float32),
    )
    colour, pattern = np.full((len(triangles), 3), 128), np.zeros(len(triangles))
    room = (Room("room", (0.0, 0.0, 1.0, 1.0)),)
    mesh = Mesh(triangles, material, colour, pattern)
    return Scene.build(name, mesh, tuple(materials), room, graph)


def shoebox(size, heads, absorption=0.2, scattering=0.0) -> Scene:
    triangles = box((0, 0, 0), size)
    materials = [flat_material(absorption, scattering)]
    return scene_of(triangles, np.zeros(len(triangles)), materials, heads, "shoebox")


def image_sources(size, source, place, absorption, seconds=1.0):
    """Arrival times (s), energies (1 at 1 m) and orders of all images of an empty box.

    Allen and Berkley 1979: images at 2 n L +- x with |n - q| + |n| reflections per axis.
    """
    reach = seconds * SPEED_OF_SOUND
    axes = []
    for length, s in zip(size, source, strict=True):
        n = np.arange(-int(reach / (2 * length)) - 2, int(reach / (2 * length)) + 3)
        positions = np.concatenate([2 * n * length + s, 2 * n * length - s])
        orders = np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)])
        axes.append((positions, orders))
    grids = np.meshgrid(*(p for p, _ in axes), indexing="ij")
    order = sum(np.meshgrid(*(o for _, o in axes), indexing="ij"))
    distance = np.sqrt(sum((g - p) ** 2 for g, p in zip(grids, place, strict=True)))
    near = distance < reach
    distance, order = distance[near], order[near]
    return distance / SPEED_OF_SOUND, (1 - absorption) ** order / distance**2, order


def eyring(size, absorption) -> float:
    """Reverberation time of a diffuse field, seconds (Eyring, JASA 1930)."""
    x, y, z = size
    surface = 2 * (x * y + y * z + z * x)
    return 24 * np.log(10) * x * y * z / (SPEED_OF_SOUND * -surface * np.log(1 - absorption))
