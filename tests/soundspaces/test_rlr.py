"""The reference engine: what it is told of a scene, and what it answers in rooms we know."""

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest

from av_envs.acoustics import AcousticBackend, measures
from av_envs.benchmarks.engines.rooms import SHOEBOX, flat, shoebox
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import House
from av_envs.soundspaces import rlr
from av_envs.soundspaces.rlr import LicenceNotice, RLRAcoustics, RLRConfig

INSTALLED = importlib.util.find_spec("rlr_audio_propagation") is not None
installed = pytest.mark.skipif(not INSTALLED, reason="extra [rlr] is not installed: CC BY-NC")
SOURCE, AHEAD, ASIDE, FAR = 5, 17, 7, 22  # nodes of the box, a metre apart from (0.63, 0.81) on
EAST, NORTH, WEST, SOUTH = range(4)


@pytest.fixture
def box():
    return shoebox(flat(0.2, 0.3))


def distance(scene, one, other):
    return float(np.linalg.norm(scene.graph.heads[one] - scene.graph.heads[other]))


def backend(scene, **settings):
    with pytest.warns(LicenceNotice, match="non-commercial"):
        return RLRAcoustics(scene, RLRConfig(**settings))


def test_without_the_library_the_error_says_what_to_install(box, monkeypatch):
    monkeypatch.setitem(sys.modules, "rlr_audio_propagation", None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[rlr\]'.*non-commercial"):
        RLRAcoustics(box)


def test_ears_that_do_not_exist_are_refused(box):
    with pytest.raises(ValueError, match=r"\['binaural', 'mono'\], got 'stereo'"):
        RLRAcoustics(box, RLRConfig(ears="stereo"))


def test_every_material_is_its_own_and_found_by_its_name():
    """Labels are looked for inside names: none may be part of another."""
    scene = House(3).scene()
    rows = rlr.material_database(scene)["materials"]
    assert [row["name"] for row in rows] == [material.name for material in scene.materials]
    names = [rlr.category(index) for index in range(len(rows))]
    for index, row in enumerate(rows):
        assert [name for name in names if row["labels"][0] in name] == [names[index]]


def test_materials_are_given_per_band():
    """What is swallowed there is all that does not come back."""
    bands = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    material = replace(flat(0.1, 0.4, 0.05), absorption=bands)
    (row,) = rlr.material_database(shoebox(material))["materials"]
    assert row["absorption"][::2] == list(BANDS_HZ)
    np.testing.assert_allclose(row["absorption"][1::2], np.add(bands, 0.05), rtol=1e-6)
    np.testing.assert_allclose(row["scattering"][1::2], 0.4, rtol=1e-6)
    (closed,) = rlr.material_database(shoebox(flat(0.3)))["materials"]
    assert closed["transmission"][1::2] == [0] * 7


@pytest.mark.parametrize(("absorption", "through"), [(0.04, 0.001), (0.3, 0.1), (0.01, 0.2)])
def test_two_faces_let_through_what_the_wall_does(absorption, through):
    """Sum over all ways to and fro between the faces."""
    swallowed = absorption + through
    face = float(rlr.face_transmission(np.array(swallowed), np.array(through)))
    kept = 1 - max(swallowed, face)  # the library's faces swallow what they pass
    beyond = face * face * sum(kept ** (2 * k) for k in range(10_000))
    assert beyond == pytest.approx(through, rel=1e-6)


@installed
def test_it_is_an_acoustic_backend(box):
    ears: AcousticBackend = backend(box, n_rays=200)
    response = ears.rir(SOURCE, AHEAD, EAST)
    assert response.shape == (2, 16000)
    assert response.dtype == np.float32
    out = np.empty((2, 2, 16000), np.float32)
    ears.rirs_into(np.array([SOURCE, ASIDE]), AHEAD, EAST, out)
    np.testing.assert_array_equal(out[0], response)
    np.testing.assert_array_equal(out[1], ears.rir(ASIDE, AHEAD, EAST))


@installed
def test_the_same_question_has_the_same_answer(box):
    one, other = (backend(box, n_rays=200) for _ in range(2))
    np.testing.assert_array_equal(one.rir(SOURCE, FAR, NORTH), other.rir(SOURCE, FAR, NORTH))
    np.testing.assert_array_equal(one.rir(SOURCE, FAR, NORTH), other.rir(SOURCE, FAR, NORTH))
    drawn = one.draws(SOURCE, FAR, NORTH, 2)
    np.testing.assert_array_equal(drawn[0], other.rir(SOURCE, FAR, NORTH))
    assert not np.array_equal(drawn[0], drawn[1])


@installed
@pytest.mark.parametrize("ears", ["mono", "binaural"])
def test_direct_sound_arrives_when_it_should(box, ears):
    heard = backend(box, n_rays=4, ears=ears)
    for receiver in (AHEAD, ASIDE, FAR):
        response = np.abs(heard.rir(SOURCE, receiver, NORTH)).max(axis=0)
        expected = distance(box, SOURCE, receiver) / SPEED_OF_SOUND * SAMPLE_RATE
        first = np.flatnonzero(response > 0.1 * response.max())[0]
        assert abs(first - expected) <= (1 if ears == "mono" else 3)


@installed
def test_a_source_has_amplitude_one_at_one_metre(box):
    response = backend(box, n_rays=4, ears="mono").rir(SOURCE, AHEAD, EAST)
    np.testing.assert_array_equal(response[0], response[1])
    away = distance(box, SOURCE, AHEAD)
    first = round(away / SPEED_OF_SOUND * SAMPLE_RATE)
    assert abs(response[0, first - 1 : first + 2]).max() * away == pytest.approx(1, abs=0.03)


@installed
@pytest.mark.parametrize(
    ("place", "left", "right", "ahead"), [(AHEAD, SOUTH, NORTH, EAST), (ASIDE, EAST, WEST, NORTH)]
)
def test_the_ear_that_faces_the_source_hears_more(box, place, left, right, ahead):
    """From node 5, node 17 lies 3 m to the east and node 7 lies 2 m to the north."""
    ears = backend(box, n_rays=2000)

    def left_over_right(heading):
        energies = np.sum(ears.rir(place, SOURCE, heading).astype(float) ** 2, axis=1)
        return 10 * np.log10(energies[0] / energies[1])

    assert left_over_right(left) > 1.5
    assert left_over_right(right) < -1.5
    assert abs(left_over_right(ahead)) < 1.5


@installed
def test_heights_are_heights(box):
    """Covered with what swallows most, the floor shortens the decay more than a narrow wall."""
    low, south = (box.triangles[:, :, axis].max(axis=1) < 1e-6 for axis in (2, 1))
    decays = []
    for covered in (low, south):
        materials = flat(0.05, 0.3), replace(flat(0.9, 0.3), name="carpet")
        scene = replace(box, material=covered.astype(np.int32), materials=materials)
        response = backend(scene, n_rays=500, ears="mono").rir(SOURCE, FAR, EAST)[0].astype(float)
        decays.append(measures.t20(measures.octave_bands(response, np.array([1000.0])))[0])
    assert decays[0] < 0.85 * decays[1]


@installed
@pytest.mark.slow
@pytest.mark.parametrize("absorption", [0.1, 0.3])
def test_a_diffuse_box_decays_as_eyring_says(absorption):
    """Eyring, JASA 1930; with absorption 0.3 RLR's decay is 13 % longer."""
    ears = backend(shoebox(flat(absorption, 1.0)), n_rays=1000, ears="mono")
    responses = np.array([ears.rir(SOURCE, place, EAST)[0] for place in (AHEAD, ASIDE, FAR)], float)
    decay = measures.t20(measures.octave_bands(responses, np.array([500.0, 1000.0, 2000.0])))
    x, y, z = SHOEBOX
    surface = 2 * (x * y + y * z + z * x)
    expected = -24 * np.log(10) * x * y * z / (SPEED_OF_SOUND * surface * np.log(1 - absorption))
    assert decay.mean() == pytest.approx(expected, rel=0.15)
