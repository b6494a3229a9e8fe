import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from av_envs.scene import CATEGORIES, MATERIALS, House, NavigationGraph, Room, Scene, load_scene
from av_envs.scene.procedural.blocks import FLOATING, Block, mesh_of

GRAPH = NavigationGraph(
    positions=np.array([[0.5, 0.5, 0], [1.5, 0.5, 0]], np.float32),
    neighbours=np.array([[1, -1, -1, -1], [-1, -1, 0, -1]], np.int32),
    grid=1.0,
    room=np.zeros(2, np.int32),
    clearance=np.full(2, 0.5, np.float32),
)


def small_scene(**changes):
    """A block of carpet; `changes` are fields of its mesh or arguments of `Scene.build`."""
    mesh = mesh_of([Block((0, 0, 0), (2, 1, 3), "carpet", (10, 20, 30), 4, FLOATING)])
    mesh = mesh._replace(material=np.zeros(12, int), category=None)
    mesh = mesh._replace(**{k: changes.pop(k) for k in mesh._fields if k in changes})
    arguments = {
        "name": "box",
        "materials": (MATERIALS["carpet"],),
        "rooms": (Room("box", (0, 0, 2, 1)),),
        "graph": GRAPH,
    }
    return Scene.build(mesh=mesh, **{**arguments, **changes})


def test_rows_stay_with_their_triangle_when_sorted():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 5, (300, 3, 3)).astype(np.float32)
    tags = rng.integers(0, 255, (300, 3))
    scene = small_scene(
        triangles=corners,
        material=np.arange(300) % 2,
        colour=tags,
        pattern=np.arange(300) % 8,
        category=np.arange(300) % 9,
        materials=(MATERIALS["carpet"], MATERIALS["rug"]),
    )
    found = np.array([np.abs(corners - t).max(axis=(1, 2)).argmin() for t in scene.triangles])
    assert sorted(found) == list(range(300))
    assert scene.triangles == pytest.approx(corners[found], abs=1e-5)
    assert (scene.colour == tags[found]).all()
    assert (scene.material == found % 2).all()
    assert (scene.pattern == found % 8).all()
    assert (scene.category == found % 9).all()
    edges = corners[found, 1:] - corners[found, :1]
    normals = np.cross(edges[:, 0], edges[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert scene.normals == pytest.approx(normals, abs=1e-5)


def test_tables_and_bounds():
    scene = small_scene()
    assert scene.absorption == pytest.approx(np.array([MATERIALS["carpet"].absorption]))
    assert scene.scattering == pytest.approx(np.array([MATERIALS["carpet"].scattering]))
    assert scene.transmission.tolist() == [[0] * 7]
    assert scene.bounds.tolist() == [[0, 0, 0], [2, 1, 3]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"triangles": np.zeros((12, 3, 3))}, "has no area"),
        ({"triangles": np.zeros((12, 9))}, r"must be \(T, 3, 3\)"),
        ({"triangles": np.full((12, 3, 3), np.nan)}, "finite"),
        ({"material": np.ones(12, int)}, r"material must lie in 0\.\.0, got 1\.\.1"),
        ({"material": np.zeros(3, int)}, r"material must have shape \(12,\), got \(3,\)"),
        ({"colour": np.zeros((12, 4))}, r"colour must have shape \(12, 3\)"),
        ({"pattern": np.full(12, 99)}, "pattern must lie"),
        ({"category": np.full(12, len(CATEGORIES))}, "category must lie"),
        ({"category": np.zeros(11)}, r"category must have shape \(12,\), got \(11,\)"),
        ({"rooms": ()}, "graph.room must lie"),
    ],
)
def test_ill_posed_scenes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message) as error:
        small_scene(**changes)
    assert "'box'" in str(error.value)


def test_fingerprint_knows_everything_that_matters():
    moved = replace(GRAPH, positions=GRAPH.positions + np.float32(0.1))
    mesh = small_scene().triangles
    variants = [
        small_scene(),
        small_scene(triangles=mesh * np.float32(1.001)),
        small_scene(materials=(MATERIALS["rug"],)),
        small_scene(colour=np.full((12, 3), 7)),
        small_scene(pattern=np.full(12, 1)),
        small_scene(graph=moved),
        small_scene(graph=replace(GRAPH, grid=0.5)),
        small_scene(rooms=(Room("shed", (0, 0, 2, 1)),)),
    ]
    assert len({scene.fingerprint for scene in variants}) == len(variants)


def test_categories_are_void_unless_given_and_not_in_the_fingerprint():
    nameless, named = small_scene(), small_scene(category=np.full(12, 3))
    assert (nameless.category == CATEGORIES.index("void")).all()
    assert (named.category == 3).all()
    assert nameless.category.dtype == named.category.dtype == np.uint8
    assert nameless.fingerprint == named.fingerprint


def test_fingerprint_ignores_the_order_of_the_triangles():
    mesh = mesh_of([Block((0, 0, 0), (2, 1, 3), "carpet", (10, 20, 30), 4, FLOATING)])
    assert small_scene(triangles=mesh.triangles[::-1]).fingerprint == small_scene().fingerprint


def test_fingerprint_is_the_same_in_another_process():
    code = "from av_envs.scene import load_scene; print(load_scene('flat-3').fingerprint)"
    environment = {"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == load_scene("flat-3").fingerprint
    assert House(3, "flat").scene().fingerprint == load_scene("flat-3").fingerprint
