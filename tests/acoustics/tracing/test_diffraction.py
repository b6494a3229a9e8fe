"""Sound around a wall's end and through a wall, against geometry and closed forms."""

import numpy as np
import pytest
from rooms import box, flat_material, scene_of
from scipy.special import fresnel

from av_envs.acoustics.tracing.corners import CLEARANCE, find_corners
from av_envs.acoustics.tracing.diffraction import add_diffraction
from av_envs.acoustics.tracing.image_sources import find_mirrors, image_paths
from av_envs.acoustics.tracing.surfaces import make_surfaces
from av_envs.conventions import BANDS_HZ, SPEED_OF_SOUND
from av_envs.scene import House
from av_envs.scene.bvh import occluded

EAR = 1.5
SOURCE, SHADOW, LIGHT = (2.0, 1.0, EAR), (4.0, 1.5, EAR), (2.5, 3.0, EAR)


def hidden_paths(scene, source=0):
    """Paths without any reflections."""
    heads = scene.graph.heads
    paths = image_paths(scene, find_mirrors(scene), heads[source], heads, 0)
    corners = find_corners(scene, heads)
    add_diffraction(scene, make_surfaces(scene), corners, source, heads, paths)
    return paths


def room_with_screen(thickness=0.02, transmission=0.0, reach=3.0, heads=(SOURCE, SHADOW, LIGHT)):
    """6 x 5 x 3 m with a wall at x = 3 from y = 0 to `reach`, floor to ceiling."""
    walls = box((0, 0, 0), (6, 5, 3))
    screen = box((3 - thickness / 2, 0, 0), (3 + thickness / 2, reach, 3), inside=False)
    materials = [flat_material(0.1), flat_material(0.1, 0.0, transmission, "screen")]
    material = np.repeat([0, 1], 12)
    return scene_of(np.vstack([walls, screen]), material, materials, heads)


def corners_inside(scene):
    """Points beside the edges of the wall's end, by x; its other end lies outside the room."""
    points = find_corners(scene, scene.graph.heads).points.astype(float)
    points = points[points[:, 1] > 0]
    return points[points[:, 0].argsort()]


def legs(*points):
    points = np.array(points, float)
    return np.linalg.norm(np.diff(points, axis=0), axis=1)


def pierce_loss_db(thickness, reach=3.0):
    """(7,) dB lost around a thick wall's end that is nearer to neither place than to itself.

    Pierce 1974, for two right-angled edges: A_D(Y of the sharper) A_D(B Y of the other).
    """

    def amplitude(x):
        sine, cosine = fresnel(x)
        return np.abs((0.5 - cosine) + 1j * (0.5 - sine))

    source = np.subtract(SOURCE, (3 - thickness / 2, reach, EAR))
    place = np.subtract(SHADOW, (3 + thickness / 2, reach, EAR))
    r, s = np.linalg.norm(source), np.linalg.norm(place)
    angles = np.arctan2(-source[0], -source[1]), np.arctan2(place[0], -place[1])
    length = r + thickness + s
    index = 2 / 3
    turn = [
        (np.cos(index * np.pi) - np.cos(index * (1.5 * np.pi - a)))
        / (index * np.sin(index * np.pi))
        for a in angles
    ]
    waves = np.array(BANDS_HZ) / SPEED_OF_SOUND
    one = turn[0] * np.sqrt(2 * r * (thickness + s) * waves / length)
    other = turn[1] * np.sqrt(2 * s * (thickness + r) * waves / length)
    less = np.sqrt(thickness * length / ((thickness + r) * (thickness + s)))
    more, fewer = np.maximum(one, other), np.minimum(one, other)
    return -20 * np.log10(amplitude(more) * amplitude(less * fewer))


def test_corners_are_the_convex_vertical_edges():
    scene = room_with_screen(thickness=0.2)
    expected = [(2.9, 3.0, EAR), (3.1, 3.0, EAR)]
    for corner, edge in zip(corners_inside(scene), expected, strict=True):
        assert np.linalg.norm(corner - edge) == pytest.approx(CLEARANCE, abs=2e-3)


def test_the_way_around_a_wall_has_the_length_of_a_string():
    paths = hidden_paths(room_with_screen())
    assert list(paths.count) == [1, 1, 1]
    edge = (3, 3.0, EAR)
    assert paths.length[1, 0] == pytest.approx(legs(SOURCE, edge, SHADOW).sum(), abs=0.05)
    towards = np.subtract(edge, SHADOW)
    towards /= np.linalg.norm(towards)
    assert paths.direction[1, 0] @ towards > np.cos(np.radians(2))
    assert np.linalg.norm(paths.direction[1, 0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("thickness", [0.1, 0.3, 1.0])
def test_the_way_around_a_wall_loses_what_a_wide_barrier_takes(thickness):
    """A wall end has two edges; sound bends at both."""
    paths = hidden_paths(room_with_screen(thickness))
    expected = pierce_loss_db(thickness)
    assert expected[0] > 8
    np.testing.assert_allclose(-20 * np.log10(paths.gain[1, 0]), expected, atol=0.5)
    first, second = (3 - thickness / 2, 3, EAR), (3 + thickness / 2, 3, EAR)
    length = legs(SOURCE, first, second, SHADOW).sum()
    assert paths.length[1, 0] == pytest.approx(length, abs=1e-3)


def test_paths_around_corners_are_the_same_both_ways():
    scene = room_with_screen(thickness=0.1)
    there, back = hidden_paths(scene, 0), hidden_paths(scene, 1)
    assert there.length[1, 0] == pytest.approx(back.length[0, 0], abs=1e-4)
    np.testing.assert_allclose(there.gain[1, 0], back.gain[0, 0], rtol=1e-3)


def test_where_the_source_is_seen_no_path_is_added():
    paths = hidden_paths(room_with_screen())
    assert paths.length[2, 0] == pytest.approx(legs(SOURCE, LIGHT)[0], abs=1e-4)
    np.testing.assert_allclose(paths.gain[0, 0], 1, rtol=1e-5)


@pytest.mark.parametrize("transmission", [0.01, 0.1, 0.5])
def test_a_wall_lets_the_straight_path_through(transmission):
    """Both faces together take 1 - tau of the energy."""
    paths = hidden_paths(room_with_screen(0.1, transmission, reach=5.0))
    assert paths.count[1] == 1
    np.testing.assert_allclose(paths.gain[1, 0], np.sqrt(transmission), rtol=1e-4)
    assert paths.length[1, 0] == pytest.approx(legs(SOURCE, SHADOW)[0], abs=1e-4)
    straight = np.subtract(SOURCE, SHADOW) / legs(SOURCE, SHADOW)[0]
    np.testing.assert_allclose(paths.direction[1, 0], straight, atol=1e-4)


def test_a_heavy_wall_without_an_end_leaves_silence():
    paths = hidden_paths(room_with_screen(0.1, 0.0, reach=5.0))
    assert paths.count[1] == 0


def test_both_ways_are_kept_where_both_are_open():
    paths = hidden_paths(room_with_screen(0.1, 0.01))
    assert paths.count[1] == 2
    length = np.sort(paths.length[1, :2])
    assert length[0] == pytest.approx(legs(SOURCE, SHADOW)[0], abs=1e-4)
    assert length[1] > length[0] + 1


def test_sound_turns_two_corners_of_a_corridor():
    """Two screens that overlap: an S-shaped way over the end of each."""
    walls = box((0, 0, 0), (6, 5, 3))
    first = box((1.99, 0, 0), (2.01, 3.5, 3), inside=False)
    second = box((3.99, 1.5, 0), (4.01, 5, 3), inside=False)
    source, place = (1.0, 1.0, EAR), (5.0, 4.0, EAR)
    triangles = np.vstack([walls, first, second])
    scene = scene_of(triangles, np.zeros(36), [flat_material(0.1)], [source, place])
    paths = hidden_paths(scene)
    way = [source, (2, 3.5, EAR), (4, 1.5, EAR), place]
    assert paths.count[1] == 1
    assert paths.length[1, 0] == pytest.approx(legs(*way).sum(), abs=0.1)
    towards = np.subtract(way[2], place) / legs(way[2], place)[0]
    assert paths.direction[1, 0] @ towards > np.cos(np.radians(2))


def test_in_a_house_every_hidden_path_has_a_reason():
    scene = House(3).scene()
    heads, source = scene.graph.heads, 10
    paths = hidden_paths(scene, source)
    hidden = occluded(scene.bvh, np.repeat(heads[source : source + 1], len(heads), 0), heads)
    hidden[source] = False
    straight = np.linalg.norm(heads - heads[source], axis=1)
    np.testing.assert_array_equal(paths.count[~hidden], 1)
    assert (paths.count[hidden] <= 2).all()
    assert (paths.count[hidden] > 0).mean() > 0.98  # the others are fainter than -60 dB
    for place in np.flatnonzero(hidden):
        n = paths.count[place]
        assert (paths.length[place, :n] > straight[place] - 1e-3).all()
        assert (paths.gain[place, :n] < 1).all()
        around = paths.length[place, :n] > straight[place] + 1e-3
        ways = paths.length[place, :n][around]
        assert (ways < scene.graph.walking_distances[source, place] + 3).all()
