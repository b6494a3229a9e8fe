"""Direct and specular paths against the closed form of the empty box."""

import numpy as np
import pyroomacoustics as pra
import pytest
from rooms import box, flat_material, image_sources, scene_of, shoebox

from av_envs.acoustics.tracing.image_sources import find_mirrors, image_paths
from av_envs.conventions import SPEED_OF_SOUND
from av_envs.scene import House

SIZE = (6, 4, 3)
SOURCE = (1.3, 2.9, 1.1)
PLACE = (4.6, 1.2, 1.7)


def paths_in(scene, order=2, source=0):
    heads = scene.graph.heads
    return image_paths(scene, find_mirrors(scene), heads[source], heads, order)


def of_place(paths, place):
    """Lengths and energies at 1 kHz of one place, nearest first."""
    n = paths.count[place]
    order = np.argsort(paths.length[place, :n], kind="stable")
    length = paths.length[place, order]
    return length.astype(float), (paths.gain[place, order, 3].astype(float) / length) ** 2


@pytest.mark.parametrize(("order", "n_images"), [(0, 1), (1, 7), (2, 25), (3, 63)])
def test_every_image_of_a_box_is_found_exactly(order, n_images):
    rng = np.random.default_rng(order)
    places = rng.uniform([0.5, 0.5, 0.5], np.array(SIZE) - 0.5, (8, 3))
    heads = np.vstack([SOURCE, places])
    if order == 3:  # the 48 shortest paths are kept
        n_images = 48
    paths = paths_in(shoebox(SIZE, heads, 0.2), order)
    for place in range(1, 9):
        seconds, energy, orders = image_sources(SIZE, SOURCE, heads[place], 0.2, 0.3)
        known = orders <= order
        by_time = np.argsort(seconds[known])[:n_images]
        length, found = of_place(paths, place)
        assert len(length) == n_images
        expected = seconds[known][by_time] * SPEED_OF_SOUND
        np.testing.assert_allclose(length, expected, atol=1e-4)
        if order < 3:
            np.testing.assert_allclose(found, energy[known][by_time], rtol=1e-3)
        assert np.sum(found) == pytest.approx(np.sum(energy[known][by_time]), rel=1e-3)


def test_paths_agree_with_pyroomacoustics():
    room = pra.ShoeBox(SIZE, fs=16000, materials=pra.Material(0.2), max_order=2)
    room.add_source(list(SOURCE))
    room.add_microphone(list(PLACE))
    room.image_source_model()
    images = room.sources[0]
    theirs = np.linalg.norm(images.images - np.array(PLACE)[:, None], axis=0)
    length, energy = of_place(paths_in(shoebox(SIZE, [SOURCE, PLACE], 0.2)), 1)
    order = np.argsort(theirs)
    np.testing.assert_allclose(length, theirs[order], atol=1e-4)
    np.testing.assert_allclose(energy, (images.damping[0] / theirs)[order] ** 2, rtol=1e-3)


def test_paths_arrive_from_their_last_mirror():
    paths = paths_in(shoebox(SIZE, [SOURCE, PLACE]), order=1)
    arrived = paths.direction[1, : paths.count[1]] * paths.length[1, : paths.count[1], None]
    images = [np.array(SOURCE)]
    for axis in range(3):
        for wall in (0, SIZE[axis]):
            image = np.array(SOURCE)
            image[axis] = 2 * wall - image[axis]
            images.append(image)
    expected = np.array(images) - PLACE
    distance = np.linalg.norm(arrived[:, None] - expected[None], axis=-1)
    np.testing.assert_allclose(distance.min(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(paths.direction[1, :7], axis=1), 1, atol=1e-5)


def test_direct_sound_obeys_the_inverse_square_law():
    line = [(0.6 + d, 2, 1.5) for d in (0, 0.5, 1, 2, 4)]
    paths = paths_in(shoebox(SIZE, line), order=0)
    np.testing.assert_allclose(paths.energy()[1:, 0], [4, 1, 1 / 4, 1 / 16], rtol=1e-4)


def test_scattering_and_transmission_are_taken_from_mirror_images():
    walls = flat_material(0.2, scattering=0.3, transmission=0.1)
    triangles = box((0, 0, 0), SIZE)
    scene = scene_of(triangles, np.zeros(12), [walls], [SOURCE, PLACE])
    paths = paths_in(scene)
    n = paths.count[1]
    energies = np.sort(paths.gain[1, :n, 3] ** 2)[::-1]
    left = 0.7 * 0.7  # neither absorbed nor transmitted, not scattered
    np.testing.assert_allclose(energies, [1.0] + 6 * [left] + 18 * [left**2], rtol=1e-4)


def test_absorption_differs_by_wall_and_band():
    triangles = box((0, 0, 0), SIZE)
    floor = np.all(triangles[:, :, 2] == 0, axis=1).astype(int)
    carpet = flat_material(0.5, name="carpet")
    carpet = type(carpet)("carpet", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), (0,) * 7, (0,) * 7, "test")
    scene = scene_of(triangles, floor, [flat_material(0.0), carpet], [SOURCE, PLACE])
    paths = paths_in(scene, order=1)
    below = paths.direction[1, :7, 2].argmin()
    expected = np.sqrt(1 - np.array(carpet.absorption))
    np.testing.assert_allclose(paths.gain[1, below], expected, rtol=1e-4)
    np.testing.assert_allclose(np.delete(paths.gain[1, :7], below, axis=0), 1, rtol=1e-6)


def test_a_cupboard_in_between_takes_the_direct_path():
    source, place = (1, 2.1, 1.4), (5, 2.2, 1.6)
    cupboard = box((2.8, 1.5, 0), (3.2, 2.8, 2), inside=False)
    triangles = np.vstack([box((0, 0, 0), SIZE), cupboard])
    scene = scene_of(triangles, np.zeros(24), [flat_material(0.2)], [source, place])
    length, _ = of_place(paths_in(scene), 1)
    empty, _ = of_place(paths_in(shoebox(SIZE, [source, place])), 1)
    assert len(empty) == 25
    images = {"itself": (1, 2.1, 1.4), "ceiling": (1, 2.1, 4.6)}
    images |= {"south": (1, -2.1, 1.4), "north": (1, 5.9, 1.4)}
    for name, image in images.items():
        distance = np.linalg.norm(np.subtract(image, place))
        assert np.abs(empty - distance).min() < 1e-4
        is_open = np.abs(length - distance).min() < 1e-4
        assert is_open == (name != "itself"), name


def test_source_and_listener_at_one_place():
    paths = paths_in(shoebox(SIZE, [SOURCE, PLACE]))
    n = paths.count[0]
    length, energy = of_place(paths, 0)
    assert length[0] == pytest.approx(0.3)  # no point any more: see MIN_LENGTH
    assert energy[0] == pytest.approx(1 / 0.09, rel=1e-3)
    np.testing.assert_allclose(length[1], 2 * 1.1, atol=1e-4)  # the floor
    for field in (paths.length[0, :n], paths.direction[0, :n], paths.gain[0, :n]):
        assert np.isfinite(field).all()
    np.testing.assert_allclose(np.linalg.norm(paths.direction[0, :n], axis=1), 1, atol=1e-4)


@pytest.fixture(scope="module")
def house():
    return House(3).scene()


def test_paths_in_a_house_are_the_same_both_ways(house):
    heads, mirrors = house.graph.heads, find_mirrors(house)
    nodes = np.random.default_rng(0).choice(len(heads), 24, replace=False)
    all_paths = [image_paths(house, mirrors, heads[s], heads[nodes]) for s in nodes]
    total = total_energy = one_way = one_way_energy = 0
    for i, j in [(i, j) for i in range(24) for j in range(24) if i != j]:
        there, energy = of_place(all_paths[i], j)
        back, energy_back = of_place(all_paths[j], i)
        for length, e in zip(there, energy, strict=True):
            gap = np.abs(back - length)
            total, total_energy = total + 1, total_energy + e
            if len(back) == 0 or gap.min() > 1e-3:
                one_way, one_way_energy = one_way + 1, one_way_energy + e
            else:
                near = gap < 1e-3  # the same gain for one of the paths of this length
                assert np.abs(energy_back[near] / e - 1).min() < 1e-3
    assert total > 1000
    assert one_way < 0.01 * total  # a mirror that few rays meet is found from one end only
    assert one_way_energy < 0.002 * total_energy
