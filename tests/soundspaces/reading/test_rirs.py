"""Responses are read as they are, and what is wrong with a file is said."""

import pickle

import numpy as np
import pytest
from scipy.io import wavfile
from tiny_tree import click, grid_points, wav_bytes, write_scene, write_wav

from av_envs.soundspaces.errors import (
    EmptyFileError,
    MissingPairError,
    SoundSpacesError,
    UnreadableFileError,
)
from av_envs.soundspaces.layout import standard_layout
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset
from av_envs.soundspaces.reading.rirs import at_rate, cut_or_padded, read_response

NORTH = 1  # alpha is 0
NOISE = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32) / 8


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """A tree with one file of every kind that goes wrong, all of the same angle."""
    root = tmp_path_factory.mktemp("damaged")
    layout = write_scene(root, "hall", with_pictures=False, headings=[NORTH])
    layout.rir("hall", 0, 0, 1).unlink()
    layout.rir("hall", 0, 0, 2).write_bytes(b"")
    layout.rir("hall", 0, 0, 3).write_bytes(wav_bytes(NOISE[:0], 16_000))
    layout.rir("hall", 0, 0, 4).write_bytes(b"no sound at all" * 20)
    layout.rir("hall", 0, 0, 5).write_bytes(wav_bytes(NOISE, 16_000)[:-800])
    layout.rir("hall", 0, 0, 6).write_bytes(wav_bytes(NOISE[:, :1], 16_000))
    layout.rir("hall", 0, 0, 7).write_bytes(wav_bytes(np.where(NOISE > 0.2, np.nan, NOISE), 16_000))
    write_wav(layout.rir("hall", 0, 0, 99), NOISE, 16_000)
    return root


WRONG = [
    (1, MissingPairError, "not rendered or not downloaded"),
    (2, EmptyFileError, "no byte"),
    (3, EmptyFileError, "no sample"),
    (4, UnreadableFileError, "no sound file"),
    (5, UnreadableFileError, "ends after .* of .* bytes"),
    (6, UnreadableFileError, "must have two channels, has 1"),
    (7, UnreadableFileError, "samples that are no numbers"),
]


@pytest.mark.parametrize(("source", "error", "reason"), WRONG)
def test_every_fault_is_an_error_of_its_own_that_names_the_file(damaged, source, error, reason):
    scene = SoundSpacesDataset(damaged).scene("hall")
    with pytest.raises(error, match=rf"hall/0/0_{source}\.wav: .*{reason}") as raised:
        scene.rir(0, source, NORTH)
    assert raised.value.path == standard_layout(damaged, "mp3d").rir("hall", 0, 0, source)
    assert isinstance(raised.value, SoundSpacesError)


def test_silence_is_a_choice_that_is_counted(damaged):
    dataset = SoundSpacesDataset(damaged, missing="silence")
    scene = dataset.scene("hall")
    with pytest.warns(UserWarning, match=r"0_1\.wav: .*taken as silence, and so are others"):
        samples, rate = scene.rir(0, 1, NORTH)
    assert rate == 16_000
    np.testing.assert_array_equal(samples, np.zeros((2, 16_000)))
    for source, _, _ in WRONG:
        scene.rir(0, source, NORTH)
        scene.rir(0, source, NORTH)
    assert sorted(path.name for path in dataset.silenced) == [f"0_{k}.wav" for k in range(1, 8)]
    assert "no byte" in dataset.silenced[scene.layout.rir("hall", 0, 0, 2)]
    scene.rir(1, 0, NORTH)
    assert len(dataset.silenced) == 7


def test_coverage_tells_what_is_there(damaged):
    scene = SoundSpacesDataset(damaged).scene("hall")
    quick, whole = scene.coverage(), scene.coverage(read=True)
    assert (quick.possible, quick.present, quick.foreign) == (4 * 64, 64 - 1, 1)
    assert quick.missing == {0: 1, 90: 64, 180: 64, 270: 64}
    assert (quick.empty, quick.unreadable) == (2, None)
    assert (whole.empty, whole.unreadable) == (2, 4)
    assert [fault.split(":")[0][-7:] for fault in whole.faults] == [
        f"0_{k}.wav" for k in range(2, 7)
    ]


def test_a_whole_tree_is_covered(tiny_root):
    coverage = SoundSpacesDataset(tiny_root).scene("hall").coverage(read=True)
    assert coverage.present == coverage.possible == 256
    assert (coverage.empty, coverage.unreadable, coverage.foreign, coverage.faults) == (0, 0, 0, ())


@pytest.mark.parametrize("heading", range(4))
def test_the_receiver_comes_first_and_headings_pick_the_folder(tiny_root, heading):
    scene = SoundSpacesDataset(tiny_root).scene("hall")
    for receiver, source in ((0, 7), (7, 0), (5, 5)):
        samples, rate = scene.rir(receiver, source, heading)
        expected = click(grid_points("mp3d"), receiver, source, heading, 16_000)
        np.testing.assert_array_equal(samples, expected.T)
        assert rate == 16_000


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_16", "PCM_24"])
def test_every_kind_of_sample_becomes_float(tmp_path, subtype):
    write_wav(tmp_path / "0_0.wav", NOISE, 44_100, subtype)
    samples, rate = read_response(tmp_path / "0_0.wav")
    assert (samples.dtype, rate) == (np.float32, 44_100)
    np.testing.assert_allclose(samples, NOISE.T, atol=1 / 32_768)


def test_files_of_scipy_are_read_bit_for_bit(tmp_path):
    wavfile.write(tmp_path / "0_0.wav", 16_000, NOISE)
    np.testing.assert_array_equal(read_response(tmp_path / "0_0.wav")[0], NOISE.T)


def test_44_kilohertz_become_16_as_a_filter():
    """A tone through the response is as loud and as late as before; above 8 kHz all is gone."""
    late, early = np.zeros((2, 4410)), np.zeros((2, 4410))
    late[:, 882], early[0, 441] = 0.5, 0.25  # 20 ms and 10 ms
    tones = np.sin(2 * np.pi * 12_000 * np.arange(4410) / 44_100)
    response = (late + early + np.stack([0 * tones, tones * np.hanning(4410)])).astype(np.float32)
    made = at_rate(response, 44_100, 16_000)
    assert made.shape == (2, 1600)
    assert made.dtype == np.float32
    low = np.sin(2 * np.pi * 440 * np.arange(8000) / 16_000)
    for ear, gains in enumerate(((0.5, 0.25), (0.5, 0.0))):
        heard = np.convolve(low, made[ear])[2000:6000]
        wanted = gains[0] * low[2000 - 320 : 6000 - 320] + gains[1] * low[2000 - 160 : 6000 - 160]
        np.testing.assert_allclose(heard, wanted, atol=2e-3)
    assert at_rate(made, 16_000, 16_000) is made


def test_replica_is_resampled_unless_asked_otherwise(tmp_path):
    layout = standard_layout(tmp_path, "replica")
    write_scene(tmp_path, "room_0", "replica", with_pictures=False, headings=[])
    write_wav(layout.rir("room_0", 90, 2, 3), NOISE, 44_100)
    scene = SoundSpacesDataset(tmp_path, "replica").scene("room_0")
    as_stored, rate = scene.rir(2, 3, 0, rate=None)
    assert rate == 44_100
    np.testing.assert_array_equal(as_stored, NOISE.T)
    samples, rate = scene.rir(2, 3, 0)
    assert (samples.shape, rate) == ((2, 109), 16_000)


def test_cutting_and_padding():
    samples = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(cut_or_padded(samples, 2), [[0, 1], [3, 4]])
    np.testing.assert_array_equal(cut_or_padded(samples, 4), [[0, 1, 2, 0], [3, 4, 5, 0]])


def test_an_error_can_be_handed_on_by_a_process(tmp_path):
    error = pickle.loads(pickle.dumps(EmptyFileError(tmp_path / "0_0.wav", "the file has no byte")))
    assert type(error) is EmptyFileError
    assert str(error) == f"{tmp_path}/0_0.wav: the file has no byte"
    assert error.path == tmp_path / "0_0.wav"


def test_an_unknown_policy_is_an_error(tiny_root):
    with pytest.raises(ValueError, match="missing 'ignore' does not exist; choose from"):
        SoundSpacesDataset(tiny_root, missing="ignore")
