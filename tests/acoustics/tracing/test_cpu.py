"""The tracer against what energy must do."""

import multiprocessing
import os

import numpy as np
import pytest
from rooms import box, eyring, flat_material, image_sources, scene_of, shoebox

from av_envs.acoustics.response import BIN_CENTRES, BIN_EDGES
from av_envs.acoustics.tracing.cpu import trace
from av_envs.acoustics.tracing.detectors import make_detectors
from av_envs.acoustics.tracing.image_sources import find_mirrors, image_paths
from av_envs.acoustics.tracing.scattering import turn_of
from av_envs.conventions import SPEED_OF_SOUND
from av_envs.scene import House

SIZE = (6, 4, 3)
VOLUME = 72
WIDTHS = np.diff(BIN_EDGES)


def places(n=24, size=SIZE, seed=0):
    return np.random.default_rng(seed).uniform([0.7] * 3, np.array(size) - 0.7, (n, 3))


def spheres(heads, radius=0.4):
    return make_detectors(np.asarray(heads), np.full(len(heads), radius))


def mixed_field(scattering):
    """(65,) energy of a box that absorbs nothing, relative to a field that fills it evenly."""
    heads = places()
    scene = shoebox(SIZE, heads, 0.0, scattering)
    energy, _, lost = trace(scene, heads[:4], spheres(heads), n_rays=4096)
    assert lost < 2e-4  # some rays of two million reflections fall out of an edge
    assert np.ptp(energy, axis=-1).max() <= 1e-4 * energy.max()  # all bands alike
    return energy[..., 3].mean(axis=(0, 1)) / (4 * np.pi * SPEED_OF_SOUND * WIDTHS / VOLUME)


@pytest.mark.parametrize("scattering", [0.0, 0.3, 1.0])
def test_energy_is_conserved_where_nothing_absorbs(scattering):
    """4 pi of energy at speed c through a volume V deposits 4 pi c dt / V everywhere."""
    level = mixed_field(scattering)
    assert level[20:].mean() == pytest.approx(1, abs=0.02)
    assert level[-10:].mean() == pytest.approx(1, abs=0.03)
    assert np.std(level[20:]) < 0.06


def test_energy_is_conserved_when_bands_scatter_differently():
    """Scattering by chance with correcting factors must not make or lose energy."""
    material = flat_material(0.0)
    bands = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
    material = type(material)("rough", (0.0,) * 7, bands, (0.0,) * 7, "test")
    heads = places()
    scene = scene_of(box((0, 0, 0), SIZE), np.zeros(12), [material], heads)
    energy, _, _ = trace(scene, heads[:4], spheres(heads), n_rays=4096)
    level = energy[:, :, 20:50].mean(axis=(0, 1)) / (4 * np.pi * SPEED_OF_SOUND * 0.02 / VOLUME)
    np.testing.assert_allclose(level.mean(axis=0), 1, atol=0.1)
    assert level.mean() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("transmission", [0.02, 0.3])
def test_energy_is_conserved_when_a_wall_lets_sound_through(transmission):
    """Two rooms V beside a partition S: their sum stays, their difference decays with
    exp(-2 c S tau t / 4 V), and so they become alike."""
    heads = places(size=(3, 4, 3))
    heads = np.vstack([heads, np.add(heads, [3.1, 0, 0])])
    outer, inner = box((0, 0, 0), (6.1, 4, 3)), box((3, -1, -1), (3.1, 5, 4), inside=False)
    materials = [flat_material(0.0, 1.0), flat_material(0.0, 1.0, transmission, "partition")]
    material = np.repeat([0, 1], 12)
    scene = scene_of(np.vstack([outer, inner]), material, materials, heads)
    energy, _, lost = trace(scene, heads[:8], spheres(heads), n_rays=4096)
    assert lost < 1e-3
    level = energy[..., 3].mean(axis=0) / (4 * np.pi * SPEED_OF_SOUND * WIDTHS / 36)
    near, far = level[:24].mean(axis=0), level[24:].mean(axis=0)
    assert (near + far)[30:].mean() == pytest.approx(1, abs=0.04)  # a little is inside the wall
    rate = 2 * SPEED_OF_SOUND * 12 * transmission / (4 * 36)
    expected = np.exp(-rate * BIN_CENTRES)
    np.testing.assert_allclose((near - far)[20:], expected[20:], atol=0.08)


# share of the squared mean free path by which free paths in a box of 6 x 4 x 3 vary:
# between those of 1 x 1 x 2 (0.356) and 1 x 2 x 2 (0.363), Kuttruff, Room Acoustics, 4th ed.
FREE_PATH_VARIANCE = 0.36


@pytest.mark.parametrize("absorption", [0.1, 0.2, 0.4])
def test_a_diffuse_room_decays_as_eyring_and_kuttruff_say(absorption):
    """Kuttruff corrects Eyring's formula for free paths of different lengths."""
    heads = places()
    scene = shoebox(SIZE, heads, absorption, 1.0)
    energy, _, _ = trace(scene, heads[:4], spheres(heads), n_rays=8192)
    remaining = np.cumsum(energy[..., 3].mean(axis=(0, 1))[::-1].astype(float))[::-1]
    level = 10 * np.log10(np.maximum(remaining / remaining[0], 1e-12))
    used = (level < -5) & (level > -35)
    t30 = -60 / np.polyfit(BIN_EDGES[:-1][used], level[used], 1)[0]
    assert t30 == pytest.approx(eyring(SIZE, absorption), rel=0.1)
    kuttruff = eyring(SIZE, absorption) / (1 + FREE_PATH_VARIANCE / 2 * np.log(1 - absorption))
    assert t30 == pytest.approx(kuttruff, rel=0.025)


def test_what_image_sources_bring_is_left_out_of_the_histogram():
    """Any order of exact paths gives the same sum of paths and histogram."""
    heads = places(12)
    scene = shoebox(SIZE, heads, 0.3, 0.2)
    mirrors = find_mirrors(scene)
    sums = []
    for order in (0, 1, 2):
        energy, _, _ = trace(scene, heads[:1], spheres(heads), n_rays=16384, image_order=order)
        paths = image_paths(scene, mirrors, heads[0], heads, order)
        gain = paths.gain[..., 3] / paths.length
        exact = np.where(np.arange(gain.shape[1]) < paths.count[:, None], gain, 0)
        sums.append(energy[0, 1:, :, 3].sum(axis=1) + np.sum(exact[1:] ** 2, axis=1))
    for later in sums[1:]:
        difference = 10 * np.log10(later / sums[0])
        assert abs(difference.mean()) < 0.05
        assert np.abs(difference).max() < 0.4


def test_no_direction_is_preferred_by_the_rays_of_all_seeds():
    """Few rays leave gaps, elsewhere for every seed: together they are as good as many.

    Were their lattice the same one for all, its gaps would remain: 0.7 dB instead of 0.1.
    """
    size = (6.37, 4.23, 2.71)
    heads = places(13, size, seed=1)
    scene, detectors = shoebox(size, heads, 0.2), spheres(heads)
    settings = {"n_rays": 256, "image_order": 0, "workers": 1}
    energy = np.mean(
        [trace(scene, heads[:1], detectors, seed=s, **settings)[0][0, 1:, :20] for s in range(32)],
        axis=0,
    )
    truth = []
    for place in heads[1:]:
        seconds, images, order = image_sources(size, heads[0], place, 0.2, 0.12)
        truth.append(np.sum(images[(order > 0) & (seconds < 0.1)]))
    error = 10 * np.log10(energy[..., 3].sum(axis=1) / truth)
    assert np.sqrt(np.mean(error**2)) < 0.25
    assert abs(error.mean()) < 0.1


def test_turns_are_drawn_evenly():
    turns = np.array([turn_of(np.uint64(seed)) for seed in range(2000)])
    np.testing.assert_allclose(np.histogram(turns, 10, (0, 1))[0], 200, atol=60)


def test_sound_arrives_from_where_it_comes():
    """In a corridor that swallows all but what its far end returns, echoes come from there."""
    heads = np.array([(1, 2, 1.5), (4, 2, 1.5)])
    triangles = box((0, 0, 0), (8, 4, 3))
    material = np.ones(12)
    material[np.all(triangles[:, :, 0] == 8, axis=1)] = 0
    materials = [flat_material(0.0, 1.0), flat_material(1.0, name="sponge")]
    scene = scene_of(triangles, material, materials, heads)
    energy, arrival, _ = trace(scene, heads[:1], spheres(heads))
    assert energy[0, 1].sum() > 0
    together = arrival.sum(axis=(-2, -1)), energy.sum(axis=(-2, -1))
    np.testing.assert_allclose(*together, rtol=1e-4, atol=1e-9)
    by_sector = arrival[0, 1].sum(axis=0) / arrival[0, 1].sum()
    assert by_sector[[11, 0, 1]].sum() > 0.8  # the end wall is 4 m wide, 4 m away
    assert by_sector[3:10].sum() < 1e-6
    first = np.flatnonzero(energy[0, 1].sum(axis=-1))[0]
    assert BIN_EDGES[first] <= (7 + 4) / SPEED_OF_SOUND < BIN_EDGES[first + 2]


def test_small_detectors_are_unbiased():
    heads = places(24)
    scene = shoebox(SIZE, heads, 0.2, 0.5)
    large, small = (
        trace(scene, heads[:1], spheres(heads, r), n_rays=16384)[0][0, 1:, :, 3].sum(axis=1)
        for r in (0.4, 0.2)
    )
    assert abs(np.mean(10 * np.log10(small / large))) < 0.1


def test_closed_boxes_lose_nothing_and_open_ones_lose_what_leaves():
    heads = places(4)
    closed = shoebox(SIZE, heads, 0.2)
    assert trace(closed, heads[:1], spheres(heads))[2] < 1e-6
    walls = box((0, 0, 0), (4, 4, 4))
    open_top = walls[~np.all(walls[:, :, 2] == 4, axis=1)]
    middle = [(2, 2, 2), (1, 1, 1.5)]
    scene = scene_of(open_top, np.zeros(10), [flat_material(1.0)], middle)
    lost = trace(scene, np.array(middle[:1]), spheres(middle))[2]
    assert lost == pytest.approx(1 / 6, abs=2e-3)  # a face of a cube, seen from its centre


@pytest.fixture(scope="module")
def house():
    return House(3).scene()


def traced(house, workers):
    heads = house.graph.heads
    detectors = make_detectors(heads, np.minimum(house.graph.clearance, 0.4))
    return trace(house, heads[[5, 40]], detectors, n_rays=1024, seed=7, workers=workers)


def _trace_into(queue, house):
    energy, arrival, lost = traced(house, 2)
    queue.put((energy.tobytes(), arrival.tobytes(), lost))


def test_the_number_of_workers_does_not_change_a_bit(house):
    one, two = traced(house, 1), traced(house, 2)
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1].tobytes() == two[1].tobytes()
    assert one[2] == two[2]
    assert one[0].any()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_traces_the_same(house):
    """The parent's threads do not live in the child, which must make its own."""
    here = traced(house, 2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_trace_into, args=(queue, house))
    child.start()
    there = queue.get(timeout=60)
    child.join(timeout=60)
    assert there == (here[0].tobytes(), here[1].tobytes(), here[2])


def test_sources_do_not_disturb_each_other_and_seeds_differ(house):
    heads = house.graph.heads
    detectors = make_detectors(heads, np.minimum(house.graph.clearance, 0.4))
    first, _, _ = trace(house, heads[5], detectors, n_rays=1024, seed=7)
    assert first[0].tobytes() == traced(house, 2)[0][0].tobytes()
    other, _, _ = trace(house, heads[5], detectors, n_rays=1024, seed=8)
    assert other.tobytes() != first.tobytes()


@pytest.mark.parametrize("n_rays", [0, -4, 4097])
def test_rays_come_in_fours(n_rays):
    heads = places(2)
    with pytest.raises(ValueError, match=f"n_rays must be a positive multiple of 4, got {n_rays}"):
        trace(shoebox(SIZE, heads), heads[:1], spheres(heads), n_rays=n_rays)
