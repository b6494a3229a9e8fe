"""Names, sound files and metadata as DCASE 2020 Task 3 has them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from av_envs.agents.localization.dcase import (
    Name,
    Rows,
    name_of,
    read_metadata,
    read_recording,
    recordings_in,
    rows_of,
    slots_of,
    write_metadata,
    write_recording,
)
from av_envs.agents.localization.directions import angles_of, unit_vectors
from av_envs.agents.localization.takes import Labels


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fold1_room2_mix003_ov2", Name(1, 2, (3,), 2)),
        ("fold6_room1_aug012034_ov1", Name(6, 1, (12, 34), 1)),
    ],
)
def test_names(text, name):
    assert name_of(Path(f"{text}.wav")) == name
    assert str(name) == text


@pytest.mark.parametrize("text", ["fold1_room1_mix1_ov1", "mix001", "fold1_room1_aug001_ov1"])
def test_other_names(text):
    with pytest.raises(ValueError, match="is not called like fold1_room1_mix001_ov1"):
        name_of(Path(f"{text}.wav"))


def test_angles_of_a_file(tmp_path):
    (tmp_path / "x.csv").write_text("0,3,0,90,0\n0,5,1,-180,45\n7,3,0,0,-90\n")
    rows = read_metadata(tmp_path / "x.csv")
    assert rows.frame.tolist() == [0, 0, 7]
    assert rows.label.tolist() == [3, 5, 3]
    assert rows.track.tolist() == [0, 1, 0]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(rows.direction, [[0, 1, 0], [-half, 0, half], [0, 0, -1]], atol=1e-6)


def test_vectors_of_a_file(tmp_path):
    (tmp_path / "x.csv").write_text("4,1,0,0.6,0,0.8\n")
    np.testing.assert_allclose(read_metadata(tmp_path / "x.csv").direction, [[0.6, 0, 0.8]])


@pytest.mark.parametrize(("cartesian", "degrees"), [(False, 1.0), (True, 0.03)])
def test_metadata_come_back(cartesian, degrees, tmp_path):
    rng = np.random.default_rng(0)
    angles = rng.uniform(-np.pi, np.pi, 50), rng.uniform(-1.5, 1.5, 50)
    rows = Rows(np.arange(50), rng.integers(9, size=50), rng.integers(2, size=50),
                unit_vectors(*angles))  # fmt: skip
    write_metadata(tmp_path / "x.csv", rows, cartesian)
    again = read_metadata(tmp_path / "x.csv")
    assert all((a == b).all() for a, b in zip(again[:3], rows[:3], strict=True))
    cosine = (again.direction * rows.direction).sum(axis=1)
    assert np.degrees(np.arccos(np.minimum(cosine, 1))).max() < degrees


def test_azimuths_are_written_from_minus_180_to_179(tmp_path):
    behind = unit_vectors(np.radians([180.0, 179.7]), np.zeros(2))
    write_metadata(tmp_path / "x.csv", Rows(*np.zeros((3, 2), int), behind))
    assert (tmp_path / "x.csv").read_text() == "0,0,0,-180,0\n" * 2


def test_a_file_without_a_source(tmp_path):
    (tmp_path / "x.csv").write_text("")
    assert len(read_metadata(tmp_path / "x.csv").frame) == 0
    assert read_metadata(tmp_path / "x.csv").direction.shape == (0, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0,1,0,90,0\n1,1,0,90\n", "line 2: is not 5 or 6 numbers: 1,1,0,90"),
        ("0,1,0,left,0\n", "line 1: is not 5 or 6 numbers"),
        ("0,1,0,nan,0\n", "line 1: is not 5 or 6 numbers"),
        ("0,1,0,90,0\n0,1,0,1,0,0\n", "line 2: has 6 columns"),
        ("0,1,0,1,0,0\n0,1,0,0,0,0\n", "line 2: has a direction of length 0"),
    ],
)
def test_rows_that_are_none(text, says, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match=f"x.csv, {says}"):
        read_metadata(tmp_path / "x.csv")


def test_slots_are_filled_in_the_order_of_the_rows():
    """Their own tracks do not matter; frames after the end are left out."""
    x, y, z = np.eye(3)
    rows = Rows(np.array([1, 1, 2, 9]), np.zeros(4, int), np.array([1, 0, 1, 0]),
                np.stack([x, y, z, x]))  # fmt: skip
    direction, active = slots_of(rows, 4, 2, Path("x.csv"))
    assert active.tolist() == [[0, 0], [1, 1], [1, 0], [0, 0]]
    np.testing.assert_array_equal(direction[1], [x, y])
    np.testing.assert_array_equal(direction[2], [z, [0, 0, 0]])
    with pytest.raises(ValueError, match="frame 1 has more than 1 sources"):
        slots_of(rows, 4, 1, Path("x.csv"))


def test_rows_of_labels():
    direction = np.tile(np.eye(3)[:2], (2, 1, 1)).astype(np.float32)
    active = np.array([[False, True], [True, True]])
    labels = Labels(direction, direction, active, active, np.array([[-1, 7], [5, 6]]))
    rows = rows_of(labels)
    assert rows.frame.tolist() == [0, 1, 1]
    assert rows.track.tolist() == [1, 0, 1]
    assert rows.label.tolist() == [7, 5, 6]
    assert np.degrees(angles_of(rows.direction)[0]).tolist() == [90, 0, 90]


def test_recordings_come_back(tmp_path):
    signals = np.random.default_rng(0).uniform(-1, 1, (4, 24_000)).astype(np.float32)
    write_recording(tmp_path / "x.wav", "foa", signals)
    np.testing.assert_allclose(read_recording(tmp_path / "x.wav", "foa"), signals, atol=1e-4)
    assert read_recording(tmp_path / "x.wav", "mic", seconds=3).shape == (4, 72_000)
    rest = read_recording(tmp_path / "x.wav", "foa", seconds=3)[:, 24_000:]
    assert 0 < np.abs(rest).max() <= 1e-8
    write_recording(tmp_path / "long.wav", "foa", np.tile(signals, 3))
    assert read_recording(tmp_path / "long.wav", "foa", seconds=2).shape == (4, 48_000)


@pytest.mark.parametrize(
    ("rate", "channels", "says"),
    [(16_000, 4, "has 4 channels at 16000 Hz"), (24_000, 2, "has 2 channels at 24000 Hz")],
)
def test_other_sound_files(rate, channels, says, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros((100, channels)), rate)
    with pytest.raises(ValueError, match=says):
        read_recording(tmp_path / "x.wav", "foa")


def test_too_loud_to_write(tmp_path):
    with pytest.raises(ValueError, match=r"would clip: the peak is 1\.5"):
        write_recording(tmp_path / "x.wav", "foa", np.full((4, 10), 1.5))


def test_folds(recordings):
    assert [name.fold for name in recordings_in(recordings, "foa", (1,))] == [1]
    assert len(recordings_in(recordings, "foa", (3, 4, 5, 6))) == 8
    with pytest.raises(ValueError, match=r"mic_dev: has no \.wav file of the folds 1"):
        recordings_in(recordings, "mic", (1,))
