"""A floor of tiles around the nodes: its outline, its rooms and what rays hit."""

import numpy as np
import pytest
from tiny_tree import grid_points

from av_envs.scene.bvh import cast_rays
from av_envs.soundspaces.floor import CEILING, floor_scene
from av_envs.vision import top_down_map

# an L of three nodes: one east of the corner, one north of it
POSITIONS = np.array([[2.0, 3.0, 0.5], [3.0, 3.0, 0.5], [2.0, 4.0, 0.5]])
NEIGHBOURS = np.array([[1, 2, -1, -1], [-1, -1, 0, -1], [-1, -1, -1, 0]])


@pytest.fixture(scope="module")
def scene():
    return floor_scene("corner", POSITIONS, NEIGHBOURS, 1.0)


def cast(scene, origin, direction):
    distance, hit = cast_rays(
        scene.bvh, np.array([origin], np.float32), np.array([direction], np.float32),
        np.array([100.0], np.float32),
    )  # fmt: skip
    return float(distance[0]), int(hit[0])


def test_it_ends_half_a_step_from_the_nodes(scene):
    np.testing.assert_allclose(scene.bounds, [[1.5, 2.5, 0.5], [3.5, 4.5, 0.5 + CEILING]])
    assert scene.rooms[0].bounds == (1.5, 2.5, 3.5, 4.5)
    np.testing.assert_array_equal(scene.graph.neighbours, NEIGHBOURS)


@pytest.mark.parametrize(
    ("node", "distances"),
    [(0, [1.5, 1.5, 0.5, 0.5]), (1, [0.5, 0.5, 1.5, 0.5]), (2, [0.5, 0.5, 0.5, 1.5])],
)
def test_walls_stand_where_no_step_leads_and_face_the_node(scene, node, distances):
    for heading, expected in enumerate(distances):
        ahead = np.array([(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)][heading])
        distance, hit = cast(scene, scene.graph.heads[node], ahead)
        assert distance == pytest.approx(expected, abs=1e-4)
        np.testing.assert_allclose(scene.normals[hit], -ahead, atol=1e-6)


def test_floor_and_ceiling_face_the_air(scene):
    for direction, expected in ((-1, 1.5), (1, CEILING - 1.5)):
        distance, hit = cast(scene, scene.graph.heads[1] + np.float32(0.1), (0, 0, direction))
        assert distance == pytest.approx(expected + 0.1 * -direction, abs=1e-4)
        assert scene.normals[hit, 2] == pytest.approx(-direction)


def test_the_map_shows_the_outline(scene):
    plan = top_down_map(scene, 20.0)
    column, row = np.floor(plan.world_to_pixel(POSITIONS)).astype(int).T
    floor = plan.picture[row, column]
    assert (floor == floor[0]).all()
    outside = np.floor(plan.world_to_pixel(np.array([3.0, 4.2]))).astype(int)
    assert (plan.picture[outside[1], outside[0]] != floor[0]).any()


def test_a_single_node_is_a_scene_too():
    alone = floor_scene("cell", grid_points("mp3d")[:1], np.full((1, 4), -1), 0.5)
    assert len(alone.triangles) == 2 + 2 + 8
