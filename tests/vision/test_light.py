"""Lamps, their shadows and corners; what is lit by them."""

from dataclasses import replace

import numpy as np
import pytest

from av_envs.scene import CATEGORIES, House
from av_envs.vision import lights_of, render_rgbd
from av_envs.vision.light import (
    AMBIENT,
    BELOW_CEILING,
    COVERED,
    COVERED_UP,
    FALL,
    POWER,
    REACH,
    UNKNOWN,
    WANTED,
    lamps_of,
    work_out,
)

EAST, NORTH, WEST, SOUTH = range(4)


@pytest.fixture(scope="module")
def house():
    return House(3).scene()


def known(scene, lights) -> np.ndarray:
    """The texels, all worked out."""
    lights.texels[:] = WANTED
    work_out(lights, scene.bvh, scene.normals)
    return lights.texels


def texel_of(scene, lights, k: int, u: float, v: float) -> float:
    """Brightness of the front of triangle k at the texel nearest to (u, v)."""
    low, high = lights.frames[k, :2], lights.frames[k, 2:]
    i, j = np.rint((np.array([u, v]) - low) / (high - low) * (lights.shape[k] - 1)).astype(int)
    return float(lights.texels[lights.first[k] + i * lights.shape[k, 1] + j, 0])


def floor_of(scene) -> int:
    flat = (scene.normals[:, 2] > 0.9) & (np.abs(scene.triangles[:, :, 2]).max(axis=1) < 1e-6)
    return int(np.flatnonzero(flat)[0])


def test_a_lamp_is_near_every_node_and_below_the_ceiling(house):
    lamps, graph = lamps_of(house), house.graph
    high = np.unique(np.round(lamps[:, 2], 3))
    np.testing.assert_allclose(high, house.bounds[1, 2] - BELOW_CEILING, atol=0.05)
    for room in np.unique(graph.room):
        nodes = graph.heads[graph.room == room][:, :2]
        apart = np.linalg.norm(nodes[:, None] - lamps[None, :, :2], axis=2)
        assert apart.min(axis=1).max() <= COVERED


def test_the_middle_of_a_floor_has_the_light_of_the_formula(scene):
    lights = lights_of(scene)
    known(scene, lights)
    assert len(lights.lamps) == 1
    lamp, k = lights.lamps[0], floor_of(scene)
    place = np.array([lamp[0], lamp[1], 0.0])
    metres = lamp[2] - place[2]
    expected = AMBIENT + POWER * (1 - (metres / REACH) ** 2) * 2 / (1 + (metres / FALL) ** 2)
    found = texel_of(scene, lights, k, *place[:2])
    assert found == pytest.approx(expected, rel=0.03)  # a texel is 0.2 m, a lamp 0.36 m wide


def test_what_stands_in_the_way_throws_a_shadow_and_covers_up(make_scene):
    """A cupboard between the lamp over (1.5, 1.5) and the east of the room, and a rug."""
    things = [((2.5, 0.5, 0.0), (3.0, 2.5, 2.2)), ((0.5, 2.5, 0.0), (2.0, 3.5, 0.02))]
    empty, full = make_scene("empty"), make_scene("full", things=things)
    shaded = []
    for scene in (empty, full):
        lights = lights_of(scene)
        known(scene, lights)
        k = floor_of(scene)
        shaded.append(texel_of(scene, lights, k, 3.6, 1.5))
        inside, under = (texel_of(scene, lights, k, *at) for at in ((2.8, 1.6), (1.2, 3.0)))
    assert shaded[1] < 0.75 * shaded[0]
    assert inside < AMBIENT  # no lamp shines there
    assert under == COVERED_UP


def test_corners_are_darker_than_the_middle(scene):
    lights = lights_of(scene)
    known(scene, lights)
    lights_off = lights._replace(lamps=lights.lamps[:0])
    known(scene, lights_off)
    k = floor_of(scene)
    corner, middle = (texel_of(scene, lights_off, k, *place) for place in ((0, 0), (2, 2)))
    assert middle == pytest.approx(AMBIENT, rel=0.02)
    assert corner < 0.75 * middle


def test_a_picture_does_not_depend_on_those_before(house):
    poses = [(node, heading) for node in range(0, len(house.graph), 9) for heading in range(4)]
    lights, backwards = lights_of(house), lights_of(house)
    one = {pose: view(house, *pose, lights) for pose in poses}
    other = {pose: view(house, *pose, backwards) for pose in reversed(poses)}
    assert all(np.array_equal(one[pose], other[pose]) for pose in poses)
    assert (lights.texels == UNKNOWN).any()  # nobody works out what nobody sees
    assert not (lights.texels == WANTED).any()


def view(scene, node: int, heading: int, lights) -> np.ndarray:
    return render_rgbd(scene, scene.graph.heads[node], heading, lights=lights)[0]


def test_depth_is_that_of_the_flat_picture(house):
    lights = lights_of(house)
    for node in range(0, len(house.graph), 11):
        eye = house.graph.heads[node]
        for heading in range(4):
            lit, flat = (render_rgbd(house, eye, heading, lights=of)[1] for of in (lights, None))
            np.testing.assert_allclose(lit, flat, rtol=1e-6)


def test_the_triangles_of_a_rectangle_share_their_texels(scene):
    lights = lights_of(scene)
    assert len(np.unique(lights.first)) == len(lights.first) / 2
    assert len(lights.texels) == sum(
        lights.shape[k].prod() for k in np.unique(lights.first, return_index=True)[1]
    )


def test_edges_are_smooth(scene, eye):
    """Where the red wall meets the green one: a colour between them, which no surface has."""
    lit, flat = (render_rgbd(scene, eye, EAST, lights=of)[0] for of in (lights_of(scene), None))
    edge = [
        (np.abs(np.diff(rgb[40].astype(int), axis=0)).sum(axis=1) > 20).sum() for rgb in (flat, lit)
    ]
    assert edge[1] > edge[0]  # it takes two steps


def test_windows_show_the_sky(scene, eye):
    kinds = np.where(
        (np.abs(scene.normals[:, 0]) > 0.9) & (scene.triangles[:, :, 0].min(axis=1) > 5.9),
        CATEGORIES.index("window"),
        scene.category,
    ).astype(np.uint8)
    glazed = replace(scene, category=kinds)
    rgb = render_rgbd(glazed, eye, EAST, lights=lights_of(glazed))[0].astype(int)
    above, below = rgb[50, 64:80].mean(axis=0), rgb[70, 30:34].mean(axis=0)
    assert above[2] > above[0]  # blue
    assert below[1] > below[2]  # green
    assert np.abs(above - below).max() > 40
