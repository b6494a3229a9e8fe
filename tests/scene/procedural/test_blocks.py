import numpy as np
import pytest

from av_envs.scene.materials import MATERIALS
from av_envs.scene.procedural.blocks import (
    EAST,
    FLOATING,
    NORTH,
    SIDES,
    UP,
    WEST,
    Block,
    face_areas,
    mesh_of,
    turned,
)

CRATE = Block((1, 2, 0), (4, 4, 5), "wood_furniture", (1, 2, 3), 4, FLOATING)


def normals_of(triangles):
    edges = triangles[:, 1:] - triangles[:, :1]
    return np.cross(edges[:, 0], edges[:, 1])


def test_faces_look_outward_and_close_the_box():
    triangles = mesh_of([CRATE]).triangles
    normals = normals_of(triangles)
    centre = np.array([2.5, 3, 2.5])
    outward = ((triangles.mean(axis=1) - centre) * normals).sum(axis=1)
    assert (outward > 0).all()
    assert np.abs(normals.sum(axis=0)).max() == 0  # Gauss: a closed surface
    volume = (triangles.mean(axis=1) * normals).sum() / 6
    assert volume == pytest.approx(3 * 2 * 5)


def test_areas_are_those_of_the_faces_that_exist():
    material, areas = face_areas([CRATE, CRATE._replace(faces=UP | EAST, material="carpet")])
    names = np.array(list(MATERIALS))[material]
    assert areas[names == "wood_furniture"].sum() == 2 * (3 * 2 + 3 * 5 + 2 * 5)
    assert sorted(areas[names == "carpet"]) == [6, 10]


def test_triangles_carry_the_looks_of_their_block():
    mesh = mesh_of([CRATE, CRATE._replace(colour=(9, 9, 9), pattern=2, faces=UP)])
    assert (mesh.colour[:12] == (1, 2, 3)).all()
    assert (mesh.colour[12:] == 9).all()
    assert mesh.pattern.tolist() == [4] * 12 + [2] * 2


@pytest.mark.parametrize(
    ("quarter_turns", "low", "high", "face"),
    [
        (0, (10, 20), (13, 21), NORTH),
        (1, (9, 20), (10, 23), WEST),
        (-1, (10, 17), (11, 20), EAST),
    ],
)
def test_turning_moves_corners_and_faces_together(quarter_turns, low, high, face):
    block = Block((0, 0, 1), (3, 1, 2), "carpet", (0, 0, 0), 0, NORTH | UP)
    result = turned(block, quarter_turns, (10, 20))
    assert result.low == (*low, 1)
    assert result.high == (*high, 2)
    assert result.faces == face | UP


def test_a_full_turn_changes_nothing():
    block = Block((0, 0, 0), (3, 1, 2), "carpet", (0, 0, 0), 0, SIDES ^ NORTH)
    for _ in range(4):
        block = turned(block, 1, (0, 0))
    assert block == Block((0, 0, 0), (3, 1, 2), "carpet", (0, 0, 0), 0, SIDES ^ NORTH)
