"""The clap of a film: where it comes from, how loud, how long it rings."""

import numpy as np
import pytest

from av_envs.rir_measure.audible import GAIN, clap, measured_sound


def response(delays, gains):
    rir = np.zeros((2, 16000), np.float32)
    rir[[0, 1], delays] = gains
    return rir


def test_a_clean_response_gives_back_the_clap():
    sound = measured_sound(response((0, 0), (1, 1)))
    assert sound.shape == (2, 4000)
    assert sound.dtype == np.float32
    np.testing.assert_allclose(sound[0, : len(clap())], GAIN * clap(), atol=1e-6)
    np.testing.assert_allclose(sound[:, len(clap()) :], 0, atol=1e-6)
    assert np.linalg.norm(clap()) == pytest.approx(1, abs=1e-6)


def test_ears_differ_in_time_and_level_as_the_response_does():
    sound = measured_sound(response((100, 110), (1, 0.5)))
    np.testing.assert_allclose(sound[1, 10:], 0.5 * sound[0, :-10], atol=1e-6)
    assert np.abs(sound[0, :100]).max() < 1e-6


def test_far_pairs_are_half_as_much_quieter():
    near, far = (measured_sound(response((50, 50), (gain, gain))) for gain in (1, 0.01))
    np.testing.assert_allclose(far, 0.1 * near, atol=1e-6)


def test_sounds_begin_and_end_in_silence():
    noise = np.random.default_rng(1).standard_normal((2, 16000)).astype(np.float32)
    sound = measured_sound(0.01 * noise, seconds=0.5)
    assert sound.shape == (2, 8000)
    assert np.abs(sound[:, 0]).max() < 1e-3 * np.abs(sound).max()
    assert np.abs(sound[:, -1]).max() < 1e-3 * np.abs(sound).max()


def test_silence_stays_silent():
    assert not measured_sound(np.zeros((2, 16000), np.float32)).any()


def test_a_short_response_rings_out():
    sound = measured_sound(np.ones((2, 10), np.float32), seconds=1)
    assert sound.shape == (2, 16000)
    assert not sound[:, 600:].any()


@pytest.mark.parametrize(
    ("rir", "seconds", "message"),
    [(np.ones(100), 0.25, r"\(2, m\)"), (np.ones((2, 100)), 0.01, "seconds")],
)
def test_mistakes_are_refused(rir, seconds, message):
    with pytest.raises(ValueError, match=message):
        measured_sound(rir, seconds)
