"""The papers' audio step against its description, term by term."""

import numpy as np
import pytest
from scipy.io import wavfile

from av_envs.acoustics.spectrogram import stft
from av_envs.benchmarks.speed.reference_step import audio_step, centred_stft, write_responses


@pytest.fixture
def seconds():
    return (400 * np.random.default_rng(0).standard_normal((2, 16000))).astype(np.float32)


def write(path, response, rate=16000):
    wavfile.write(path, rate, response.astype(np.float32))
    return path


def test_the_spectrum_is_that_of_the_suite(seconds):
    np.testing.assert_allclose(centred_stft(seconds[0]), stft(seconds[0]), rtol=1e-4, atol=0.1)


def test_shapes(tmp_path, seconds):
    step = audio_step(write_responses(tmp_path, 2), seconds)
    assert {key: value.shape for key, value in step.items()} == {
        "mixture": (512, 32, 4),
        "binaural": (512, 32, 8),
        "mono": (512, 32, 4),
    }
    assert all(value.dtype == np.float32 for value in step.values())


def test_a_pulse_comes_early_by_half_the_response(tmp_path, seconds):
    """ "same" keeps the centre: a response of 2001 samples that starts with its only pulse
    moves the sound 1000 samples ahead; the mixture is the mean of the sources."""
    response = np.zeros((2001, 2))
    response[0] = 1
    path = write(tmp_path / "r.wav", response)
    pulses = np.zeros((2, 16000), np.float32)
    pulses[0, 9192] = 1000  # lands on the centre of frame 16
    step = audio_step([path, path], pulses)
    magnitude = step["binaural"][..., 0]
    assert magnitude.sum(axis=0).argmax() == (9192 - 1000) // 512 == 16
    np.testing.assert_allclose(magnitude[:, 16], 1000 / 32768, rtol=1e-3)
    np.testing.assert_allclose(step["mixture"][..., 0], magnitude / 2, atol=1e-7)


def test_loud_sums_wrap_as_theirs_do(tmp_path):
    """40000 becomes -25536 in 16 bits: the defect is part of what is timed."""
    path = write(tmp_path / "r.wav", np.ones((1, 2)))
    steady = np.full((2, 16000), 40000, np.float32)
    step = audio_step([path, path], steady)
    dc = step["binaural"][0, 16, 0]
    assert dc == pytest.approx(np.hanning(1024)[:-1].sum() * 25536 / 32768, rel=1e-3)


def test_another_sample_rate_is_refused(tmp_path, seconds):
    path = write(tmp_path / "r.wav", np.ones((4, 2)), rate=44100)
    with pytest.raises(ValueError, match="44100 Hz, not 16000"):
        audio_step([path, path], seconds)
