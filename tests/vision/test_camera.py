from dataclasses import replace

import numpy as np
import pytest

from av_envs.scene import CATEGORIES, House, cast_rays
from av_envs.scene.scene import BOOKS, BRICKS, FABRIC, MARBLE, PLANKS, STRIPES, TILES
from av_envs.vision.camera import IMAGE_SIZE, MAX_DEPTH, render_labels, render_rgbd

EAST, NORTH, WEST, SOUTH = range(4)
FORWARD = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
RIGHT = np.array([[0, -1, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0]])


def pixel_of(point, eye, heading, size=IMAGE_SIZE):
    """(column, row) where a pinhole with a field of view of 90 degrees sees a point."""
    forward, right, up = (
        (point - eye) @ FORWARD[heading], (point - eye) @ RIGHT[heading], (point - eye)[2],
    )  # fmt: skip
    return size / 2 * (1 + right / forward) - 0.5, size / 2 * (1 - up / forward) - 0.5


def rays_of(heading, size):
    across = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(across, -across)
    up = np.array([0, 0, 1])
    return FORWARD[heading] + x[..., None] * RIGHT[heading] + y[..., None] * up


def hue(rgb):
    return rgb / rgb.sum()


def test_shapes_and_types(scene, eye):
    rgb, depth = render_rgbd(scene, eye, EAST)
    assert rgb.shape == (128, 128, 3)
    assert rgb.dtype == np.uint8
    assert depth.shape == (128, 128)
    assert depth.dtype == np.float32


@pytest.mark.parametrize(("heading", "distance"), [(EAST, 4.5), (NORTH, 2.5), (WEST, 1.5)])
def test_depth_of_a_wall_is_its_distance_along_the_axis(scene, eye, heading, distance):
    _, depth = render_rgbd(scene, eye, heading)
    rows, columns = np.mgrid[0:128, 0:128]
    wall = np.abs(columns - 63.5) < 64 * (1.4 / distance) - 1
    above_the_table = (rows > 64 - 64 * (1.5 / distance) + 1) & (rows <= 63)
    np.testing.assert_allclose(depth[wall & above_the_table], distance, rtol=1e-6)


@pytest.mark.parametrize("heading", range(4))
def test_every_pixel_sees_what_a_ray_through_its_centre_hits(heading):
    scene = House(3).scene()
    for node in range(0, len(scene.graph.positions), 17):
        eye = scene.graph.heads[node]
        _, depth = render_rgbd(scene, eye, heading, size=48)
        rays = rays_of(heading, 48).reshape(-1, 3).astype(np.float32)
        t, _ = cast_rays(scene.bvh, np.repeat(eye[None], len(rays), 0), rays, np.full(2304, 1e6))
        off = np.abs(depth.ravel() - np.minimum(t, MAX_DEPTH)) > 1e-4
        assert off.mean() < 0.005  # an outline exactly through the centre may go either way
        assert off.sum() <= 12


@pytest.mark.parametrize("heading", range(4))
def test_an_edge_level_with_the_eye_stays_inside_the_picture(heading):
    """Its row of pixels meets the edge nearly nowhere: a column number beyond any integer."""
    _, depth = render_rgbd(House(21).scene(), np.array([0.5, 2.5, 1.5]), heading)
    assert (depth > 0).all()


@pytest.mark.parametrize("corner", [(4, 3.5, 0.8), (5, 3.5, 0.8), (5, 2.5, 0.8)])
def test_a_corner_of_the_table_appears_where_the_pinhole_puts_it(scene, eye, corner):
    size = 512
    rgb, _ = render_rgbd(scene, eye, EAST, size)
    place = np.array(pixel_of(np.array(corner), eye, EAST, size))
    inwards = pixel_of(np.array([4.5, 3.0, 0.8]), eye, EAST, size) - place
    inwards *= 3 / np.linalg.norm(inwards)
    table = hue(np.array([200, 150, 20]))
    (column, row), (column_beside, row_beside) = np.rint([place + inwards, place - inwards]).astype(
        int
    )
    assert np.abs(hue(rgb[row, column]) - table).max() < 0.02
    assert np.abs(hue(rgb[row_beside, column_beside]) - table).max() > 0.1


def test_turning_left_shows_the_next_wall(scene, eye):
    seen = [hue(render_rgbd(scene, eye, heading)[0][40, 64]).argmax() for heading in range(3)]
    assert seen == [0, 1, 2]  # red in the east, green in the north, blue in the west
    south = render_rgbd(scene, eye, SOUTH)[0][40, 64].astype(int)
    assert np.ptp(south) <= 2  # white


def test_left_is_left(scene, eye):
    rgb, _ = render_rgbd(scene, eye, EAST)
    assert hue(rgb[64, 0]).argmax() == 1  # the green north wall lies to the left of east
    assert np.ptp(rgb[64, 127].astype(int)) <= 2  # the white south wall to the right


def test_floor_below_and_ceiling_above(scene, eye):
    _, depth = render_rgbd(scene, np.array([3.0, 2.0, 1.0]), WEST)
    assert depth[127, 64] == pytest.approx(1 / (127 / 128), rel=1e-5)  # floor 1 m down
    assert depth[0, 64] == pytest.approx(2 / (127 / 128), rel=1e-5)  # ceiling 2 m up


def test_depth_ends_at_the_limit_but_colour_does_not(make_scene):
    scene = make_scene("long", (30.0, 4.0, 3.0))
    rgb, depth = render_rgbd(scene, np.array([1.0, 1.0, 1.5]), EAST)
    assert depth.max() == MAX_DEPTH
    assert hue(rgb[63, 64]).argmax() == 0


@pytest.mark.parametrize("pattern", [PLANKS, TILES, BRICKS, FABRIC, STRIPES, MARBLE, BOOKS])
def test_textures_show_near_by_and_calm_down_far_away(make_scene, pattern):
    scene = make_scene("textured", (60.0, 4.0, 3.0), pattern)
    near, _ = render_rgbd(scene, np.array([58.5, 1.5, 1.5]), EAST)
    far, _ = render_rgbd(scene, np.array([2.0, 1.5, 1.5]), EAST, 512)
    wall = far[250:260, 250:262].astype(float).mean(-1)
    assert near[30:90, 30:90].astype(float).mean(-1).std() > 1.5
    assert wall.std() < 6
    assert np.abs(wall.mean() - near[30:90, 30:90].mean()) < 25


def test_floor_and_ceiling_of_one_colour_differ_in_brightness(scene):
    rgb, _ = render_rgbd(scene, np.array([3.0, 1.5, 1.5]), WEST)
    ceiling, floor = rgb[2, 64].astype(int), rgb[125, 64].astype(int)
    assert np.ptp(ceiling) <= 2
    assert np.ptp(floor) <= 2
    assert floor.mean() - ceiling.mean() > 15


def test_bad_poses_are_refused(scene, eye):
    with pytest.raises(ValueError, match="quarter turns, got 4"):
        render_rgbd(scene, eye, 4)
    with pytest.raises(ValueError, match="position"):
        render_rgbd(scene, eye[:2], 0)


@pytest.mark.parametrize("heading", range(4))
def test_every_label_is_that_of_what_a_ray_through_the_pixel_hits(heading):
    house = House(4).scene()
    for eye in house.graph.heads[::25]:
        labels = render_labels(house, eye, heading, 64)
        directions = rays_of(heading, 64).reshape(-1, 3)
        far = np.full(len(directions), 1e3, np.float32)
        _, hit = cast_rays(house.bvh, np.broadcast_to(eye, directions.shape), directions, far)
        expected = house.category[hit].reshape(64, 64)
        assert labels.dtype == np.uint8
        assert np.count_nonzero(labels != expected) <= 4  # pixels on an edge of two things


def test_where_nothing_is_the_label_is_void(make_scene):
    scene = make_scene()
    named = replace(scene, category=np.full(len(scene.category), CATEGORIES.index("wall"), "u1"))
    outside = np.array([20.0, 1.5, 1.5])
    assert not render_labels(named, outside, EAST).any()
    assert set(np.unique(render_labels(named, outside, WEST))) == {0, 1}
    assert not render_labels(scene, np.array([1.5, 1.5, 1.5]), NORTH).any()  # nobody said what
