import numpy as np
import pytest

from av_envs.scene import House
from av_envs.vision import top_down_map
from av_envs.vision.topdown import WALL_COLOUR


def pixel(plan, point):
    column, row = plan.world_to_pixel(np.array(point)).astype(int)
    return plan.picture[row, column]


def test_north_is_up_and_east_is_right(scene):
    plan = top_down_map(scene, 20)
    south_west, north_east = plan.world_to_pixel(np.array([[0.0, 0.0], [6.0, 4.0]]))
    assert south_west == pytest.approx([0.3 * 20, plan.picture.shape[0] - 0.3 * 20], abs=1)
    np.testing.assert_allclose(north_east - south_west, [120, -80])


def test_furniture_floor_wall_and_outside_look_different(scene):
    plan = top_down_map(scene, 20)
    table, floor = pixel(plan, (4.5, 3.0)), pixel(plan, (1.0, 1.0))
    np.testing.assert_array_equal(pixel(plan, (-0.05, 2.0)), WALL_COLOUR)
    assert pixel(plan, (-0.25, 2.0)).min() > 240
    assert np.ptp(table.astype(int)) > 60
    assert np.ptp(floor.astype(int)) < 10
    assert floor.min() > 150


def test_what_reaches_to_the_ceiling_is_a_wall_and_a_wardrobe_is_not(make_scene):
    """Walls of a mesh may be closed boxes, whose tops face up."""
    wall = ((3.0, 0.0, 0.0), (3.2, 2.0, 3.0))
    low_wall = ((3.0, 2.0, 0.0), (3.2, 4.0, 2.95))
    wardrobe = ((0.0, 3.0, 0.0), (1.0, 3.6, 2.2))
    plan = top_down_map(make_scene("walled", things=(wall, low_wall, wardrobe)), 20)
    for place in ((3.1, 1.0), (3.1, 3.0)):
        np.testing.assert_array_equal(pixel(plan, place), WALL_COLOUR)
    assert np.ptp(pixel(plan, (0.5, 3.3)).astype(int)) > 60
    assert pixel(plan, (2.0, 1.0)).min() > 150


def test_doors_are_open_and_every_node_stands_on_a_floor():
    scene = House(0).scene()
    plan = top_down_map(scene, 20)
    graph = scene.graph
    for node, neighbours in enumerate(graph.neighbours):
        for other in neighbours[neighbours >= 0]:
            for share in np.linspace(0, 1, 9):
                point = graph.positions[node] * (1 - share) + graph.positions[other] * share
                assert (pixel(plan, point) != WALL_COLOUR).any()


def test_a_scale_must_be_positive(scene):
    with pytest.raises(ValueError, match="pixels_per_metre must be positive, got 0"):
        top_down_map(scene, 0)
