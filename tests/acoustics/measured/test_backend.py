"""Measured rooms give back what was measured, wherever it came from, and nothing else."""

import csv
import json

import numpy as np
import pytest
import soundfile
from rooms import shoebox
from sofa_files import write_fields

from av_envs.acoustics import TraceConfig, TracedAcoustics
from av_envs.acoustics.measured.backend import RecordedAcoustics
from av_envs.acoustics.measured.files import read_room
from av_envs.acoustics.measured.rooms import MeasuredRoom, calibrated

RATE = 16_000
HEADS = np.array([(1.0, 1.0, 1.5), (2.0, 1.0, 1.5), (4.5, 3.0, 1.5), (1.0, 2.0, 1.5)])
POSES = [(source, head, h) for source in (2, 3) for head in (0, 1) for h in range(4)]


@pytest.fixture(scope="module")
def truth():
    """{pose: (2, 16000)}, of a room that was not measured but computed."""
    traced = TracedAcoustics(shoebox((6, 4, 3), HEADS, 0.3), TraceConfig(n_rays=256))
    return {pose: traced.rir(*pose) for pose in POSES}


def write_table(path, truth, gain=1.0, lead=0, rate=RATE, **more):
    """A sound file per pose and the table of them."""
    rows = []
    for i, ((source, head, heading), response) in enumerate(truth.items()):
        file = path.parent / f"{i}.wav"
        samples = np.pad(response[:, :8000], ((0, 0), (lead, 0))).T * gain
        soundfile.write(file, samples, rate, subtype="FLOAT")
        places = np.concatenate([HEADS[source], HEADS[head]])
        names = [f"{who}_{axis}" for who in ("source", "receiver") for axis in "xyz"]
        rows.append({"file": file.name, **dict(zip(names, places.tolist(), strict=True)),
                     "heading": heading, **more})  # fmt: skip
    if path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return path


def write_sofa(path, truth, rate=RATE, polar=False, **changed):
    """As of a head that was turned in a room; the last measurement looks between the axes."""
    poses = np.array([*truth, [*next(iter(truth))]])
    responses = np.array([*truth.values(), next(iter(truth.values()))])[..., :8000]
    degrees = np.append(90.0 * poses[:-1, 2], 45.0)
    views = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0 * degrees], 1)
    fields = {
        "Data.IR": responses,
        "Data.SamplingRate": [float(rate)],
        "SourcePosition": HEADS[poses[:, 0]],
        "ListenerPosition": HEADS[poses[:, 1]],
        "ListenerView": views,
        "ReceiverPosition": [[0, 0.09, 0], [0, -0.09, 0]],
        "EmitterPosition": np.zeros((1, 3, 1)),
        **changed,
    }
    types = {"SourcePosition": "spherical" if polar else "cartesian"}
    return write_fields(path, fields, types, convention="SingleRoomDRIR")


def node_at(room, place):
    return int(np.linalg.norm(room.positions - place, axis=1).argmin())


def assert_same(acoustics, truth, **tolerance):
    for (source, head, heading), response in truth.items():
        here, there = (node_at(acoustics.room, HEADS[k]) for k in (source, head))
        found = acoustics.rir(here, there, heading)
        assert (found.dtype, found.shape) == (np.float32, (2, RATE))
        np.testing.assert_allclose(found[:, :8000], response[:, :8000], **tolerance)
        assert not found[:, 8000:].any()


@pytest.mark.parametrize("name", ["rooms.csv", "rooms.json", "rooms.sofa"])
def test_what_was_measured_is_given_back(tmp_path, truth, name):
    write = write_sofa if name.endswith(".sofa") else write_table
    acoustics = RecordedAcoustics.open(write(tmp_path / name, truth), calibrate=False)
    assert len(acoustics.room.positions) == 4
    assert_same(acoustics, truth, atol=1e-7)


@pytest.mark.parametrize(("gain", "lead"), [(0.003, 0), (40.0, 100)])
def test_level_and_delay_follow_from_the_distances(tmp_path, truth, gain, lead):
    """To 1 dB and 3 samples, whatever the equipment did to them."""
    path = write_table(tmp_path / "room.csv", truth, gain, lead)
    acoustics = RecordedAcoustics.open(path)
    for (source, head, heading), response in truth.items():
        found = acoustics.rir(*(node_at(acoustics.room, HEADS[k]) for k in (source, head)), heading)
        energies = [np.sum(one[:, :8000].astype(float) ** 2) for one in (found, response)]
        assert 10 * abs(np.log10(energies[0] / energies[1])) < 1
        shift = np.correlate(found[0, :800], response[0, :800], "full").argmax() - 799
        assert abs(shift) <= 3


def test_another_rate_changes_nothing_that_is_heard(tmp_path):
    """An impulse response is resampled as a filter: its spectrum stays, not its samples."""
    t = np.arange(2400) / 48_000
    wave = np.exp(-200 * t) * np.sin(2 * np.pi * 1000 * t)
    truth = {(2, 0, 0): np.array([wave, 0.5 * wave])}
    acoustics = RecordedAcoustics.open(
        write_table(tmp_path / "a.csv", truth, rate=48_000), calibrate=False
    )
    found = acoustics.rir(0, 1, 0)[0]
    spectrum = np.fft.rfft(found)[1000]  # at 1 kHz, of one second
    expected = np.sum(wave * np.exp(-2j * np.pi * 1000 * t))
    assert abs(spectrum - expected) < 0.01 * abs(expected)


def test_azimuths_may_count_clockwise(tmp_path, truth):
    """As in the files of Surrey; the standard says otherwise, and ears tell."""
    around = [(2, 0, h) for h in range(4)]  # one source, as seen by a head that turns
    offset = HEADS[2] - HEADS[0]
    azimuths = np.degrees(np.arctan2(offset[1], offset[0])) - 90.0 * np.arange(4)
    polar = np.stack([-azimuths, np.zeros(4), np.full(4, np.linalg.norm(offset))], 1)
    responses = np.array([truth[pose] for pose in around])[..., :8000]
    still = {"ListenerPosition": np.zeros((1, 3)), "ListenerView": [[1.0, 0, 0]]}
    changed = {"Data.IR": responses, "SourcePosition": polar, **still}
    path = write_sofa(tmp_path / "a.sofa", truth, polar=True, **changed)
    with pytest.raises(ValueError, match=r"a.sofa: sources on the left are louder at the right"):
        read_room(path)
    room = read_room(path, clockwise=True)
    np.testing.assert_allclose(room.offsets[0], offset, atol=1e-9)
    assert set(room.poses[:, 2].tolist()) == {0}
    with pytest.raises(ValueError, match=r"b.sofa: it has no azimuths that could"):
        read_room(write_sofa(tmp_path / "b.sofa", truth), clockwise=True)


def test_several_loudspeakers_may_sound_in_one_measurement(tmp_path, truth):
    pytest.importorskip("h5py", reason="SOFA files need h5py")
    pair = [(2, 0, 0), (3, 0, 0)]
    responses = np.stack([truth[pose] for pose in pair], axis=1)[None, ..., :8000]
    path = write_sofa(
        tmp_path / "a.sofa",
        truth,
        **{
            "Data.IR": responses,
            "SourcePosition": np.zeros((1, 3)),
            "EmitterPosition": HEADS[[2, 3]][..., None],
            "ListenerPosition": HEADS[[0]],
            "ListenerView": [[1.0, 0, 0]],
        },
    )
    acoustics = RecordedAcoustics.open(path, calibrate=False)
    assert_same(acoustics, {pose: truth[pose] for pose in pair}, atol=1e-7)


def test_one_microphone_may_be_both_ears(tmp_path, truth):
    """Or any two channels of an array."""
    path = write_table(tmp_path / "a.csv", {(2, 0, 0): truth[2, 0, 0]}, left=1, right=1)
    response = RecordedAcoustics.open(path, calibrate=False).rir(0, 1, 0)
    np.testing.assert_array_equal(response[0], response[1])
    np.testing.assert_allclose(response[0, :8000], truth[2, 0, 0][1, :8000], atol=1e-7)


@pytest.mark.parametrize(
    ("heading", "offset"), [(0, (0, 1, 0)), (1, (1, 0, 0)), (2, (0, -1, 0)), (3, (-1, 0, 0))]
)
def test_directions_are_those_of_the_head(heading, offset):
    """A source to the north is on the left of who looks east, and ahead of who looks north."""
    room = MeasuredRoom("kitchen", HEADS, np.array([(3, 0, heading)]), np.ones((1, 2, 8)))
    np.testing.assert_allclose(room.offsets, [offset], atol=1e-12)


def test_what_nobody_measured_is_an_error(truth):
    room = MeasuredRoom("kitchen", HEADS, np.array(POSES), np.array([*truth.values()]))
    acoustics = RecordedAcoustics(room)
    with pytest.raises(ValueError, match=r"nobody measured source 0.*had the headings \[0, 1, 2"):
        acoustics.rir(0, 1, 0)
    with pytest.raises(ValueError, match=r"head 2, heading 0; heads were at \[0, 1\]"):
        acoustics.rir(0, 2, 0)
    out = np.empty((2, 2, RATE), np.float32)
    acoustics.rirs_into(np.array([3, 2]), 1, 2, out)
    np.testing.assert_array_equal(out[0], truth[3, 1, 2])
    np.testing.assert_array_equal(out[1], truth[2, 1, 2])


def test_neighbours_are_one_step_apart():
    room = MeasuredRoom("kitchen", HEADS, np.array([(0, 1, 0)]), np.ones((1, 2, 8)))
    graph = RecordedAcoustics(room).graph(grid=1.0)
    assert graph.neighbours[0].tolist() == [1, 3, -1, -1]
    assert graph.neighbours[1].tolist() == [-1, -1, 0, -1]
    assert graph.neighbours[2].tolist() == [-1] * 4
    np.testing.assert_allclose(graph.heads, HEADS, atol=1e-6)
    assert graph.walking_distances[1, 3] == 2.0


@pytest.mark.parametrize(
    ("poses", "responses", "named"),
    [
        ([(0, 1, 0)], np.zeros((1, 2, 8)), r"response 0, .*\[0, 1, 0\], is silent"),
        ([(0, 1, 0)], np.full((1, 2, 8), np.nan), "not finite"),
        ([(0, 1, 0), (0, 1, 0)], np.ones((2, 2, 8)), r"\[0, 1, 0\] are there twice"),
    ],
)
def test_measurements_that_are_none_are_named(poses, responses, named):
    with pytest.raises(ValueError, match=f"kitchen: .*{named}"):
        MeasuredRoom("kitchen", HEADS, np.array(poses), responses)


def test_a_room_without_distances_has_no_level():
    room = MeasuredRoom("kitchen", HEADS, np.array([(1, 1, 0)]), np.ones((1, 2, 8)))
    with pytest.raises(ValueError, match="kitchen: every source stands where its head is"):
        calibrated(room)


def test_tables_that_do_not_fit_are_named(tmp_path, truth):
    one = {(2, 0, 0): truth[2, 0, 0]}
    path = write_table(tmp_path / "a.csv", one)
    text = path.read_text()

    def refused(content, named, name="a.csv", **options):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=named):
            read_room(tmp_path / name, **options)

    refused(text.replace("heading", "h"), "a.csv, row 1: expected file, source_x.*KeyError")
    refused(text.replace(",0\n", ",4\n"), r"a.csv, row 1: expected .*4 is not in range")
    refused(text.replace("4.5", "far"), "a.csv, row 1: expected .*could not convert")
    refused(text.replace("0.wav", "9.wav"), r"9.wav: is no sound file that can be read")
    refused(text.splitlines()[0], "a.csv lists no response")
    refused(text, "a measured room is a .sofa file or a .csv", name="a.txt")
    refused("{", "a.json is no JSON", name="a.json")
    refused(text, "no azimuths that could count clockwise", clockwise=True)
    refused(text.replace("4.5", "nan"), "a.csv, row 1: expected .*a place at .*nan")
    soundfile.write(tmp_path / "0.wav", np.eye(9, 2), 44_100 * 10**4)
    refused(text, r"0.wav: it has a sample rate of 4.41e.08 Hz; rates are 1000 to 768000")
    soundfile.write(tmp_path / "0.wav", np.eye(9, 1) * [0, 1], RATE)
    refused(text, r"0.wav: is silent at an ear")
    soundfile.write(tmp_path / "0.wav", np.full((9, 2), 0.3), RATE)
    refused(text, r"0.wav: .*nothing but a constant offset")
    (tmp_path / "0.wav").write_bytes((tmp_path / "0.wav").read_bytes()[:60])
    refused(text, r"0.wav: ends after 60 of 80 bytes")
    soundfile.write(tmp_path / "0.wav", np.ones(9), RATE)
    refused(text, r"0.wav has the channels 0 to 0; the columns left and right must say")
    ears = text.replace("heading", "heading,left,right").replace(",0\n", ",0,0,1\n")
    refused(ears, r"0.wav has the channels 0 to 0, not \[0, 1\]")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ListenerView": None}, "is not a SOFA file of impulse responses: .*ListenerView"),
        ({"Data.IR": np.ones((17, 1, 8))}, r"responses \(17, 1, 8\); two ears need"),
        ({"Data.SamplingRate": [0.0]}, "Data.IR has a sample rate of 0 Hz"),
        (
            {"ListenerView": [[1.0, 1, 0]]},
            "no head looks along an axis, .*; views are at .*45",
        ),
        ({"ListenerUp": [[0.0, 0, -1]]}, "no head looks along an axis, upright"),
        ({"Data.Delay": [[0.0, -3.0]]}, "Data.Delay lies in -3 to 0 samples"),
    ],
)
def test_sofa_files_that_do_not_fit_are_named(tmp_path, truth, changed, named):
    with pytest.raises(ValueError, match=rf"a.sofa.* {named}"):
        read_room(write_sofa(tmp_path / "a.sofa", truth, **changed))
