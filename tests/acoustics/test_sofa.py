"""Heads from files: read right, or refused with the name of the file and of the fault."""

import numpy as np
import pytest
from sofa_files import (
    RATE,
    clicks,
    head_fields,
    sphere,
    towards,
    write_fields,
    write_head,
)

from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import interaural_differences
from av_envs.acoustics.sofa import main, read_sofa

h5py = pytest.importorskip("h5py", reason="SOFA files need h5py")

LEFT = [0, 1, 0]


def assert_alike(head, other, tolerance=0.01):
    np.testing.assert_allclose(head.directions, other.directions, atol=1e-6)
    scale = np.abs(other.responses).max()
    np.testing.assert_allclose(head.responses, other.responses, atol=tolerance * scale)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return read_sofa(write_head(tmp_path_factory.mktemp("heads") / "plain.sofa"))


def test_a_head_is_resampled_trimmed_and_turned_our_way(tmp_path):
    head = read_sofa(write_head(tmp_path / "head.sofa"))
    assert head.name == "head.sofa"
    assert head.responses.shape == (97, 2, 96)
    assert head.responses.dtype == head.directions.dtype == np.float32
    row = head.nearest(LEFT)
    np.testing.assert_allclose(head.directions[row], LEFT, atol=1e-6)
    delay, level = interaural_differences(head, row)
    assert delay == pytest.approx(0.0003, abs=0.5 / 16000)
    assert level == pytest.approx(20 * np.log10(2), abs=0.5)
    peaks = np.abs(head.responses[head.nearest([1, 0, 0])]).argmax(axis=-1)
    assert peaks[0] == peaks[1]
    assert 0 < peaks[0] - head.lead <= 4  # the first tenth of the click comes before its peak


def test_the_sampling_rate_does_not_change_the_head(tmp_path, plain):
    other = read_sofa(write_fields(tmp_path / "b.sofa", head_fields(rate=96000)))
    scale = np.abs(plain.responses).max()
    shift = plain.lead - other.lead
    assert abs(shift) <= 1
    np.testing.assert_allclose(
        np.roll(other.responses, shift, axis=-1)[..., 4:60],
        plain.responses[..., 4:60],
        atol=0.03 * scale,
    )


def test_loudness_and_a_common_delay_do_not_matter(tmp_path, plain):
    changed = {
        "Data.IR": np.roll(clicks(), 30, axis=-1) * 0.01,
        "Data.Delay": np.full((97, 2), 6.0),
    }
    other = read_sofa(write_head(tmp_path / "b.sofa", **changed))
    assert_alike(other, plain)
    assert other.lead == plain.lead


@pytest.mark.parametrize("shape", [(97, 2), (97, 2, 1)])
@pytest.mark.parametrize("part", [0.0, 0.4])
def test_delays_beside_the_responses_are_heard(tmp_path, plain, shape, part):
    """As of responses that begin at once, with the times of arrival beside them."""
    responses = clicks()
    delays = np.random.default_rng(0).integers(0, 40, (97, 2)) + part
    frequency = np.fft.rfftfreq(responses.shape[-1])
    earlier = np.fft.irfft(
        np.fft.rfft(responses) * np.exp(2j * np.pi * frequency * delays[..., None])
    )
    changed = {"Data.IR": earlier, "Data.Delay": delays.reshape(shape)}
    assert_alike(read_sofa(write_head(tmp_path / "a.sofa", **changed)), plain)


def kemar_fields():
    head = load_hrtf()
    x, y, z = head.directions.astype(float).T
    degrees = np.degrees([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))]).T
    responses = np.pad(head.responses.astype(float), [(0, 0), (0, 0), (0, 160)])
    return head_fields(responses, degrees, rate=16_000)


@pytest.mark.parametrize("y", [0.09, -0.09])
def test_ears_are_where_their_positions_are(tmp_path, y):
    """9.5 dB for a source at the left, whichever ear comes first in the file."""
    fields = kemar_fields()
    if y < 0:
        fields["Data.IR"] = fields["Data.IR"][:, ::-1]
    fields["ReceiverPosition"] = [[0.0, y, 0.0], [0.0, -y, 0.0]]
    head = read_sofa(write_fields(tmp_path / "head.sofa", fields))
    seconds, level = interaural_differences(head, head.nearest(LEFT))
    assert level == pytest.approx(9.5, abs=0.1)
    assert seconds == pytest.approx(0.69e-3, abs=0.05e-3)


def test_delays_go_with_their_ears(tmp_path, plain):
    """A right ear that comes first has the first delay."""
    late = np.zeros((97, 2))
    late[:, 0] = 12
    changed = {
        "Data.IR": np.stack([np.roll(clicks()[:, 1], -12, axis=-1), clicks()[:, 0]], axis=1),
        "Data.Delay": late,
        "ReceiverPosition": [[90.0, 0, -0.09], [-90.0, 0, -0.09]],
    }
    types = {"ReceiverPosition": "spherical"}
    changed["ReceiverPosition"] = [[270.0, 0, 0.09], [90.0, 0, 0.09]]
    assert_alike(read_sofa(write_head(tmp_path / "a.sofa", types, **changed)), plain)


def test_directions_are_those_of_the_listener(tmp_path, plain):
    """Who stands elsewhere, looks north and leans hears what stands there as if at home."""
    view, up = np.array([0.0, 1, 0]), np.array([0.6, 0, 0.8])
    frame = np.stack([view, np.cross(up, view), up])  # ahead, left, up
    place = np.array([3.0, -2, 1])
    changed = {
        "SourcePosition": 1.4 * towards(sphere()) @ frame + place,
        "ListenerPosition": [place],
        "ListenerView": [2 * view],
        "ListenerUp": [up],
    }
    moved = read_sofa(write_head(tmp_path / "a.sofa", {"SourcePosition": "cartesian"}, **changed))
    assert_alike(moved, plain)


def test_a_head_may_turn_before_one_loudspeaker(tmp_path, plain):
    """Views in degrees, one for each measurement, and an up that has the type of the views."""
    azimuth = sphere()[sphere()[:, 1] == 0][:, 0]
    others = sphere()[sphere()[:, 1] != 0]
    degrees = np.concatenate([np.zeros((len(azimuth), 2)), others])
    views = np.concatenate([np.stack([-azimuth, 0 * azimuth, 0 * azimuth + 1], 1),
                            np.tile([0.0, 0, 1], (len(others), 1))])  # fmt: skip
    order = np.argsort(sphere()[:, 1] != 0, kind="stable")
    changed = {
        "Data.IR": clicks()[order],
        "SourcePosition": np.column_stack([degrees, np.full(97, 1.4)]),
        "ListenerView": views,
        "ListenerUp": [[0.0, 90, 1]],
    }
    head = read_sofa(write_head(tmp_path / "a.sofa", {"ListenerView": "spherical"}, **changed))
    np.testing.assert_allclose(head.directions, plain.directions[order], atol=1e-6)


def test_clockwise_azimuths_are_refused_unless_they_are_named(tmp_path, plain):
    positions = head_fields()["SourcePosition"] * [-1, 1, 1]
    path = write_head(tmp_path / "turned.sofa", SourcePosition=positions)
    for read in (read_sofa, load_hrtf):
        with pytest.raises(ValueError, match=r"turned.sofa: .*left are louder at the right ear"):
            read(path)
    assert_alike(read_sofa(path, clockwise=True), plain)
    with pytest.raises(ValueError, match=r"plain.sofa: .*left are louder at the right ear"):
        read_sofa(write_head(tmp_path / "plain.sofa"), clockwise=True)


def test_ears_that_differ_in_time_only_have_sides_too(tmp_path):
    fields = head_fields()
    loud = np.abs(fields["Data.IR"]).max(axis=-1, keepdims=True)
    fields["Data.IR"] = fields["Data.IR"] / loud
    read_sofa(write_fields(tmp_path / "a.sofa", fields))
    fields["SourcePosition"] = fields["SourcePosition"] * [-1, 1, 1]
    with pytest.raises(ValueError, match="heard there first"):
        read_sofa(write_fields(tmp_path / "a.sofa", fields))


def test_of_several_distances_the_greatest_is_read(tmp_path, plain):
    near, far = head_fields(0.5 * clicks()[..., ::-1], distance=0.3), head_fields()
    both = {name: np.concatenate([near[name], far[name]]) for name in ("Data.IR", "SourcePosition")}
    assert_alike(read_sofa(write_head(tmp_path / "a.sofa", **both)), plain)


def test_load_hrtf_takes_a_path_and_the_command_writes_a_table(tmp_path):
    path = write_head(tmp_path / "head.sofa")
    head = load_hrtf(str(path))
    main([str(path), str(tmp_path / "head.npz")])
    with np.load(tmp_path / "head.npz") as table:
        back = table["responses"] * table["scale"]
        assert int(table["lead"]) == head.lead
    np.testing.assert_allclose(back, head.responses, atol=np.abs(head.responses).max() / 65000)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no SOFA file at .*nobody\.sofa"):
        load_hrtf(str(tmp_path / "nobody.sofa"))


def test_a_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "text.sofa"
    path.write_text("no head here")
    with pytest.raises(ValueError, match=r"text.sofa is not a readable SOFA file"):
        read_sofa(path)
    with h5py.File(tmp_path / "empty.sofa", "w") as file:
        file.attrs["SOFAConventions"] = "SimpleFreeFieldHRIR"
    with pytest.raises(ValueError, match=r"empty.sofa is not a SOFA file of impulse responses"):
        read_sofa(tmp_path / "empty.sofa")


def with_fault(row, value):
    responses = clicks()
    responses[row] = value
    return responses


POSITIONS = head_fields()["SourcePosition"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Data.IR": clicks()[:, :1]}, r"responses \(97, 1, 384\)"),
        ({"Data.IR": clicks()[:, [0, 1, 0]]}, r"responses \(97, 3, 384\)"),
        ({"Data.IR": np.zeros((97, 2, 0))}, r"responses \(97, 2, 0\)"),
        ({"Data.IR": np.repeat(clicks()[:, :, None], 2, 2)}, "1 rows for 2 emitters"),
        ({"Data.IR": with_fault((5, 1), 0)}, "measurement 5 is silent at the right ear"),
        ({"Data.IR": with_fault((5, 1, 9), np.nan)}, "Data.IR holds values that are no numbers"),
        ({"Data.IR": np.full((97, 2, 9), b"x")}, "Data.IR is no array of numbers"),
        ({"SourcePosition": POSITIONS[:96]}, "SourcePosition has 96 rows for 97"),
        ({"SourcePosition": POSITIONS * [1, 2, 1]}, "SourcePosition: an elevation of 180 deg"),
        ({"SourcePosition": POSITIONS * [1, 1, 0]}, "measurement 0 has its source in the head"),
        ({"SourcePosition": np.radians(POSITIONS)}, "nothing was measured within 45 degrees of"),
        ({"Data.SamplingRate": [0.0]}, "Data.IR has a sample rate of 0 Hz"),
        ({"Data.SamplingRate": [0.01]}, "sample rate of 0.01 Hz; rates are 1000 to 768000"),
        ({"Data.SamplingRate": [44100.123]}, "rate of 44100.123 Hz; rates are whole numbers"),
        ({"Data.SamplingRate": [44100.0, 48000.0]}, "Data.SamplingRate differs"),
        ({"Data.Delay": [[0.0, -3.0]]}, "Data.Delay lies in -3 to 0 samples"),
        ({"Data.Delay": [[0.0, 1e9]]}, "Data.Delay lies in 0 to 1e.09 samples"),
        ({"Data.Delay": np.zeros((96, 2))}, r"Data.Delay is \(96, 2, 1\) for responses"),
        ({"ListenerView": [[0.0, 0, 1]]}, "ListenerView and ListenerUp give no direction"),
        ({"ListenerView": None}, "not a SOFA file of impulse responses: .*ListenerView"),
        ({"ReceiverPosition": [[0, 9.0, 0], [0, -9.0, 0]]}, "ears are 18 m apart"),
        ({"ReceiverPosition": np.zeros((3, 3))}, "ReceiverPosition .*two ears that stay"),
    ],
)
def test_a_faulty_head_is_refused_by_name(tmp_path, changed, message):
    with pytest.raises(ValueError, match=f"faulty.sofa.* {message}"):
        read_sofa(write_head(tmp_path / "faulty.sofa", **changed))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"types": {"SourcePosition": "interaural-polar"}},
            "SourcePosition has 'interaural-polar'",
        ),
        ({"types": {"SourcePosition": None}}, "SourcePosition has 'none' coordinates"),
        ({"units": {"SourcePosition": "radian, radian, metre"}}, "in 'radian, radian, metre'"),
        ({"units": {"ReceiverPosition": "centimetre"}}, "ReceiverPosition is cartesian in 'centi"),
        ({"units": {"Data.SamplingRate": "kilohertz"}}, "Data.SamplingRate is in 'kilohertz'"),
        ({"units": {"Data.Delay": "second"}}, "Data.Delay is in 'second', read are samples"),
        ({"data": "TF"}, "the data are 'TF', read are FIR"),
        ({"convention": "SingleRoomSRIR"}, "is 'SingleRoomSRIR', read are SimpleFreeFieldHRIR"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path, how, message):
    with pytest.raises(ValueError, match=f"faulty.sofa: .*{message}"):
        read_sofa(write_head(tmp_path / "faulty.sofa", **how))


@pytest.mark.parametrize(
    ("kept", "where"),
    [
        (sphere()[:, 1] == 0, "azimuth .*, elevation 90"),  # a ring
        (sphere()[:, 0] <= 180, "azimuth 270"),  # a half
        (np.arange(97) == 6, "azimuth"),  # one direction
    ],
)
def test_directions_that_are_not_all_around_are_refused(tmp_path, kept, where):
    fields = head_fields(clicks()[kept], sphere()[kept])
    with pytest.raises(ValueError, match=f"nothing was measured within 45 degrees of {where}"):
        read_sofa(write_fields(tmp_path / "a.sofa", fields))


def test_declared_sizes_are_looked_at_before_reading(tmp_path):
    """60 GiB in a file of a few kilobytes."""
    path = write_head(tmp_path / "huge.sofa")
    with h5py.File(path, "a") as file:
        del file["Data.IR"]
        file.create_dataset("Data.IR", (97, 2, 41_600_000), "f8", chunks=(1, 1, 1000))
    with pytest.raises(
        ValueError, match=r"Data.IR declares 8.07e\+09 .* a head may have 6.71e\+07"
    ):
        read_sofa(path)
    with h5py.File(write_head(path), "a") as file:
        del file["ListenerUp"]
        file.create_dataset("ListenerUp", (10**9, 3), "f8", chunks=(1000, 3))
    with pytest.raises(ValueError, match="ListenerUp declares 3000000000 numbers"):
        read_sofa(path)


def test_fields_in_other_files_are_not_followed(tmp_path):
    other = write_head(tmp_path / "other.sofa")
    path = write_head(tmp_path / "a.sofa", **{"Data.IR": None})
    with h5py.File(path, "a") as file:
        file["Data.IR"] = h5py.ExternalLink(str(other), "Data.IR")
    with pytest.raises(ValueError, match=r"a.sofa: Data.IR lies in another file"):
        read_sofa(path)


def test_a_room_is_not_taken_for_a_head(real_data):
    surrey = real_data / "rir" / "surrey"
    with pytest.raises(ValueError, match=r"Room_A.*sofa: sources on the left are louder"):
        read_sofa(surrey / "UniS_Room_A_BRIR_16k.sofa")
    with pytest.raises(ValueError, match=r"Anechoic.*within 45 degrees of azimuth"):
        read_sofa(surrey / "UniS_Anechoic_BRIR_16k.sofa", clockwise=True)


def test_a_response_that_goes_on_is_no_head(tmp_path):
    tail = np.pad(clicks(), [(0, 0), (0, 0), (0, 4000)])
    tail[..., 2000:] += 0.05 * np.random.default_rng(0).standard_normal(tail[..., 2000:].shape)
    with pytest.raises(ValueError, match=r"a.sofa: \d\d% of the energy lies outside 96 samples"):
        read_sofa(write_head(tmp_path / "a.sofa", **{"Data.IR": tail}))


def test_the_rate_of_these_files_is_another_one():
    assert RATE != 16_000
