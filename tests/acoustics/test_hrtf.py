"""The built-in head against its source and against what heads do."""

import numpy as np
import pytest

from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import Hrtf, interaural_differences
from av_envs.conventions import SAMPLE_RATE


def towards(azimuth, elevation=0):
    """Unit vector, degrees: azimuth counter-clockwise from straight ahead."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


@pytest.mark.parametrize(
    ("azimuth", "milliseconds", "decibels"),
    [(0, 0, 0), (30, 0.25, 8.3), (60, 0.50, 13.3), (90, 0.69, 9.5), (180, 0, 0)],
)
def test_the_nearer_ear_hears_first_and_louder(azimuth, milliseconds, decibels):
    head = load_hrtf("kemar")
    for side in (1, -1):
        row = head.nearest(towards(side * azimuth))
        seconds, level = interaural_differences(head, row)
        assert seconds * 1000 == pytest.approx(side * milliseconds, abs=0.01)
        assert level == pytest.approx(side * decibels, abs=0.06)


def test_left_and_right_mirror_each_other():
    head = load_hrtf()
    for row in range(0, len(head.directions), 7):
        other = head.nearest(head.directions[row] * [1, -1, 1])
        np.testing.assert_allclose(
            head.directions[other], head.directions[row] * [1, -1, 1], atol=0.03
        )
        mirrored = head.responses[other, ::-1]
        scale = np.abs(head.responses[row]).max()
        np.testing.assert_allclose(mirrored, head.responses[row], atol=0.01 * scale)


def test_the_mean_energy_is_one_where_it_is_said_to_be():
    head = load_hrtf()
    spectrum = np.abs(np.fft.rfft(head.responses, 1024)) ** 2
    frequency = np.fft.rfftfreq(1024, 1 / SAMPLE_RATE)
    middle = (frequency > 300) & (frequency < 3000)
    assert spectrum[..., middle].mean() == pytest.approx(1, abs=1e-3)


def test_a_sound_ahead_peaks_about_the_lead():
    """The lead is the instant at the head's centre; the ear canal adds a fraction of a ms."""
    head = load_hrtf()
    for azimuth in (0, 180):
        peaks = np.abs(head.responses[head.nearest(towards(azimuth))]).argmax(axis=-1)
        assert (np.abs(peaks - head.lead) <= 6).all()


def test_the_built_in_table_is_the_measured_head(real_data):
    pytest.importorskip("h5py", reason="SOFA files need h5py")
    from av_envs.acoustics.sofa import read_sofa

    source = read_sofa(real_data / "hrtf" / "MIT_KEMAR_normal_pinna.sofa")
    built_in = load_hrtf("kemar")
    assert built_in.lead == source.lead
    np.testing.assert_array_equal(built_in.directions, source.directions)
    half_a_step = np.abs(source.responses).max() / 32767 / 2
    np.testing.assert_allclose(
        built_in.responses, source.responses, rtol=0, atol=1.01 * half_a_step
    )


def test_an_unknown_head_names_the_choices():
    with pytest.raises(ValueError, match=r"""unknown hrtf 'kemr': choose "kemar" or .*sofa"""):
        load_hrtf("kemr")


def test_tables_that_do_not_fit_are_refused():
    directions = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="odd: directions"):
        Hrtf("odd", directions, np.ones((3, 1, 8), np.float32), 0)
    with pytest.raises(ValueError, match="odd: directions or responses are not finite"):
        Hrtf("odd", directions, np.full((3, 2, 8), np.nan, np.float32), 0)


def test_the_fingerprint_tells_heads_apart():
    head = load_hrtf()
    turned = Hrtf("turned", head.directions[::-1].copy(), head.responses, head.lead)
    assert len({head.fingerprint, turned.fingerprint}) == 2
