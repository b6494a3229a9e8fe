"""What a SOFA file says of a measured room is honoured: ears, views, delays, loudspeakers."""

import numpy as np
import pytest
from sofa_files import write_fields

from av_envs.acoustics.measured.files import read_room
from av_envs.conventions import SPEED_OF_SOUND

h5py = pytest.importorskip("h5py", reason="SOFA files need h5py")

RATE = 16_000
SOURCES = np.array([(1.0, 2, 1.5), (3.0, 3, 1.5), (0.0, -2, 1.5)])
HEAD = np.array([1.0, 0, 1.5])


def responses_of(sources, head=HEAD, n=400):
    """(M, 2, n) one click each, later the farther, the nearer ear (of who looks east) louder."""
    out = np.zeros((len(sources), 2, n))
    for row, offset in enumerate(sources - head):
        distance = np.linalg.norm(offset)
        at = round(distance / SPEED_OF_SOUND * RATE)
        side = offset[1] / distance
        out[row, :, at] = np.array([2**side, 2**-side]) / distance
    return out


def fields(**changed):
    return {
        "Data.IR": responses_of(SOURCES),
        "Data.SamplingRate": [float(RATE)],
        "Data.Delay": np.zeros((1, 2)),
        "SourcePosition": SOURCES,
        "ListenerPosition": [HEAD],
        "ListenerView": [[1.0, 0, 0]],
        "ListenerUp": [[0.0, 0, 1]],
        "ReceiverPosition": [[0.0, 0.09, 0], [0.0, -0.09, 0]],
        "EmitterPosition": np.zeros((1, 3)),
        **changed,
    }


def read(path, data="FIR", convention="SingleRoomSRIR", types=None, **changed):
    types = {"SourcePosition": "cartesian", **(types or {})}
    write_fields(path, fields(**changed), types, convention=convention, data=data)
    return read_room(path)


def assert_alike(room, other, n=400):
    np.testing.assert_allclose(room.offsets, other.offsets, atol=1e-9)
    np.testing.assert_allclose(room.responses[..., :n], other.responses[..., :n], atol=1e-6)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return read(tmp_path_factory.mktemp("rooms") / "plain.sofa")


def test_places_and_responses_are_those_of_the_file(plain):
    np.testing.assert_allclose(plain.offsets, SOURCES - HEAD)
    np.testing.assert_allclose(plain.responses, responses_of(SOURCES), atol=1e-6)


def test_the_right_ear_may_come_first(tmp_path, plain):
    ears = [[0.0, -0.09, 0], [0.0, 0.09, 0]]
    swapped = read(
        tmp_path / "a.SOFA",
        **{"Data.IR": responses_of(SOURCES)[:, ::-1], "ReceiverPosition": ears},
    )
    assert_alike(swapped, plain)
    with pytest.raises(ValueError, match=r"b.sofa: sources on the left are louder at the right"):
        read(tmp_path / "b.sofa", ReceiverPosition=ears)


def test_delays_beside_the_responses_are_heard(tmp_path, plain):
    """The last one is the whole way of the sound, which its response has not."""
    responses, delays = responses_of(SOURCES), np.zeros((3, 2))
    at = int(responses[2, 0].argmax())
    responses[2], delays[2] = np.roll(responses[2], -at, axis=-1), at
    room = read(tmp_path / "a.sofa", **{"Data.IR": responses, "Data.Delay": delays})
    assert_alike(room, plain)


@pytest.mark.parametrize("data", ["FIR-E", "FIRE"])
def test_loudspeakers_are_turned_and_moved_with_their_frame(tmp_path, plain, data):
    """Axes are M, R, N, E or M, R, E, N; a frame that looks north has its left in the west."""
    east_of_first = SOURCES - SOURCES[0]
    local = np.stack([east_of_first[:, 1], -east_of_first[:, 0], east_of_first[:, 2]], axis=1)
    responses = np.moveaxis(responses_of(SOURCES), 0, 1)[None]  # (1, 2, E, n)
    if data == "FIR-E":
        responses = np.moveaxis(responses, 2, 3)
    room = read(
        tmp_path / "a.sofa",
        data,
        "SingleRoomMIMOSRIR",
        {"SourceView": "cartesian"},
        **{
            "Data.IR": responses,
            "Data.Delay": np.zeros((1, 2, 1)),
            "SourcePosition": SOURCES[:1],
            "SourceView": [[0.0, 1, 0]],
            "SourceUp": [[0.0, 0, 1]],
            "EmitterPosition": local,
        },
    )
    assert_alike(room, plain)


def test_loudspeakers_may_move_between_measurements(tmp_path, plain):
    emitters = (SOURCES - SOURCES[0]).T[None]  # (1, 3, M)
    changed = {"SourcePosition": SOURCES[:1], "EmitterPosition": emitters}
    assert_alike(read(tmp_path / "a.sofa", **changed), plain)


def test_heads_that_lean_are_not_read(tmp_path):
    views = [[1.0, 0, 0], [0.0, 0.7, 0.7], [1.0, 0, 0]]
    ups = [[0.0, 0, 1], [0.0, 0, 1], [0.0, 0.5, 0.8]]
    room = read(tmp_path / "a.sofa", ListenerView=views, ListenerUp=ups)
    np.testing.assert_allclose(room.offsets, SOURCES[:1] - HEAD)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Data.SamplingRate": [44100.123]}, "rate of 44100.123 Hz; rates are whole"),
        ({"EmitterPosition": np.zeros((2, 3))}, "EmitterPosition has 2 rows for 1 emitters"),
        ({"SourcePosition": SOURCES[:2]}, "SourcePosition has 2 rows for 3 measurements"),
        ({"convention": "SimpleHeadphoneIR"}, "the convention is 'SimpleHeadphoneIR'"),
        ({"types": {"ListenerPosition": "polar"}}, "ListenerPosition has 'polar' coordinates"),
        ({"data": "SOS"}, "the data are 'SOS'"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path, changed, named):
    with pytest.raises(ValueError, match=rf"a.sofa: .*{named}"):
        read(tmp_path / "a.sofa", **changed)


def test_declared_sizes_are_looked_at_before_reading(tmp_path):
    path = write_fields(tmp_path / "a.sofa", fields(), convention="SingleRoomSRIR")
    with h5py.File(path, "a") as file:
        del file["Data.IR"]
        file.create_dataset("Data.IR", (3, 2, 10**9), "f8", chunks=(1, 1, 1000))
    with pytest.raises(ValueError, match=r"Data.IR declares 6e.09 .* a measured room may have"):
        read_room(path)
