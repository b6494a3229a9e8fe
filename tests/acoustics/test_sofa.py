"""Heads from files: read right, or refused with the name of the file and of the fault."""

import numpy as np
import pytest

from av_envs.acoustics.hrtf import interaural_differences, load_hrtf
from av_envs.acoustics.sofa import main, read_sofa

h5py = pytest.importorskip("h5py", reason="SOFA files need h5py")

RATE = 48000
AZIMUTHS = np.arange(0, 360, 15)


def clicks(rate=RATE):
    """(24, 2, 384) band-limited clicks, the nearer ear 0.3 ms earlier and twice as loud."""
    t = np.arange(round(0.008 * rate)) / rate - 0.002
    side = np.sin(np.radians(AZIMUTHS))[:, None]
    left = np.sinc(12000 * (t + 0.00015 * side)) * 2 ** (side / 2)
    right = np.sinc(12000 * (t - 0.00015 * side)) * 2 ** (-side / 2)
    return np.stack([left, right], axis=1)


def write(
    path, responses=None, rate=RATE, positions=None, convention="SimpleFreeFieldHRIR", **more
):
    responses = clicks() if responses is None else responses
    if positions is None:
        around = np.resize(AZIMUTHS, len(responses))
        positions = np.column_stack([around, 0 * around, 0 * around + 1.4]).astype(float)
    with h5py.File(path, "w") as file:
        file.attrs["SOFAConventions"] = np.bytes_(convention)
        file["Data.IR"], file["SourcePosition"] = responses, positions
        file["Data.SamplingRate"] = [float(rate)]
        file["SourcePosition"].attrs["Type"] = np.bytes_(more.get("kind", "spherical"))
        if "delay" in more:
            file["Data.Delay"] = more["delay"]
    return path


def test_a_head_is_resampled_trimmed_and_turned_our_way(tmp_path):
    head = read_sofa(write(tmp_path / "head.sofa"))
    assert head.name == "head.sofa"
    assert head.responses.shape == (24, 2, 96)
    assert head.responses.dtype == np.float32
    np.testing.assert_allclose(head.directions[6], [0, 1, 0], atol=1e-6)  # 90 degrees: left
    delay, level = interaural_differences(head, 6)
    assert delay == pytest.approx(0.0003, abs=0.5 / 16000)
    assert level == pytest.approx(20 * np.log10(2), abs=0.5)
    peaks = np.abs(head.responses[0]).argmax(axis=-1)
    assert peaks[0] == peaks[1]
    assert 0 < peaks[0] - head.lead <= 4  # the first tenth of the click comes before its peak


def test_the_sampling_rate_does_not_change_the_head(tmp_path):
    one = read_sofa(write(tmp_path / "a.sofa"))
    other = read_sofa(write(tmp_path / "b.sofa", clicks(96000), rate=96000))
    scale = np.abs(one.responses).max()
    shift = one.lead - other.lead
    assert abs(shift) <= 1
    np.testing.assert_allclose(
        np.roll(other.responses, shift, axis=-1)[..., 4:60],
        one.responses[..., 4:60],
        atol=0.03 * scale,
    )


def test_loudness_and_a_common_delay_do_not_matter(tmp_path):
    one = read_sofa(write(tmp_path / "a.sofa"))
    later = np.roll(clicks(), 30, axis=-1) * 0.01
    delay = np.full((24, 2), 7.0)
    other = read_sofa(write(tmp_path / "b.sofa", later, delay=delay))
    np.testing.assert_allclose(
        other.responses, one.responses, atol=0.01 * np.abs(one.responses).max()
    )
    assert other.lead == one.lead


def test_load_hrtf_takes_a_path_and_the_command_writes_a_table(tmp_path):
    path = write(tmp_path / "head.sofa")
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
    with h5py.File(tmp_path / "empty.sofa", "w"):
        pass
    with pytest.raises(ValueError, match=r"empty.sofa is not a SOFA file of impulse responses"):
        read_sofa(tmp_path / "empty.sofa")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"responses": clicks()[:, :1]}, r"responses \(24, 1, 384\) for 24 positions"),
        ({"responses": clicks()[..., None]}, r"responses \(24, 2, 384, 1\)"),
        ({"positions": np.zeros((23, 3))}, "for 23 positions"),
        ({"responses": 0 * clicks()}, "silent or not finite"),
        ({"responses": np.nan * clicks()}, "silent or not finite"),
        ({"rate": 0}, "the rate is 0"),
        ({"kind": "cartesian"}, "'cartesian', only 'spherical'"),
        ({"convention": "SingleRoomSRIR"}, "'SingleRoomSRIR', only 'SimpleFreeFieldHRIR'"),
        (
            {"delay": np.column_stack([np.zeros(24), np.arange(24.0)])},
            "delays beside the responses",
        ),
    ],
)
def test_a_faulty_head_is_refused_by_name(tmp_path, fault, message):
    path = write(tmp_path / "faulty.sofa", **fault)
    with pytest.raises(ValueError, match=f"faulty.sofa: .*{message}"):
        read_sofa(path)


def test_a_room_is_not_taken_for_a_head(real_data):
    with pytest.raises(ValueError, match=r"Room_A.*16% of the energy lies outside 96 samples"):
        read_sofa(real_data / "rir" / "surrey" / "UniS_Room_A_BRIR_16k.sofa")
    anechoic = read_sofa(real_data / "rir" / "surrey" / "UniS_Anechoic_BRIR_16k.sofa")
    seconds, _ = interaural_differences(anechoic, anechoic.nearest([0, 1, 0]))
    assert 0.0005 < abs(seconds) < 0.0009  # the file counts its azimuths clockwise
