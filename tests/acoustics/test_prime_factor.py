"""Transforms of 1023 samples against scipy's, without a window unless one is named."""

import numpy as np
import pytest
import scipy.fft

from av_envs.acoustics.prime_factor import analyse, synthesise

RECTANGLE = np.ones(1023, np.float32)
K, N = np.arange(512), np.arange(1023)


def spectra_of(signals, n_frames, window=RECTANGLE):
    spectra = np.full((len(signals), 512, n_frames), np.nan, np.complex64)
    analyse(signals.astype(np.float32), window, spectra.view(np.float32))
    return spectra


def signals_of(spectra, n_samples, window=RECTANGLE):
    signals = np.full((len(spectra), n_samples), np.nan, np.float32)
    weight = np.ones(n_samples, np.float32)
    synthesise(spectra.astype(np.complex64).view(np.float32), window, weight, signals)
    return signals


def spectra_of_frames(frames):
    """The second frame of a signal of 1024 samples is all of it but the first sample."""
    return spectra_of(np.pad(frames, ((0, 0), (1, 0))), 2)[:, :, 1]


def frames_of_spectra(spectra):
    return signals_of(np.stack([np.zeros_like(spectra), spectra], axis=-1), 1024)[:, 1:]


def assert_near(result, expected):
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_random_frames():
    frames = np.random.default_rng(0).standard_normal((50, 1023))
    assert_near(spectra_of_frames(frames), scipy.fft.rfft(frames))


def test_an_impulse_anywhere():
    expected = np.exp(-2j * np.pi * np.outer(N, K) / 1023)
    assert_near(spectra_of_frames(np.eye(1023)), expected)


def test_a_constant_is_all_in_the_first_frequency():
    assert_near(spectra_of_frames(np.ones((1, 1023))), 1023 * np.eye(1, 512))


@pytest.mark.parametrize(("wave", "value"), [(np.cos, 0.5), (np.sin, -0.5j)])
def test_every_single_frequency(wave, value):
    expected = 1023 * value * np.eye(512)
    expected[0, 0] = 1023 * wave(0)
    frames = wave(2 * np.pi * np.outer(K, N) / 1023)
    assert_near(spectra_of_frames(frames), expected)
    assert_near(frames_of_spectra(expected), frames)


def test_random_spectra():
    real, imaginary = np.random.default_rng(1).standard_normal((2, 50, 512))
    spectra = real + 1j * imaginary  # the first frequency's imaginary part counts for nothing
    assert_near(frames_of_spectra(spectra), scipy.fft.irfft(spectra, 1023))


@pytest.mark.parametrize("n_frames", [1, 31, 32, 33, 70])  # 32 frames are transformed at once
def test_frames_of_long_signals(n_frames):
    rng = np.random.default_rng(2)
    window = rng.random(1023).astype(np.float32)
    signals = rng.standard_normal((2, 512 * n_frames - 100))
    padded = np.pad(signals, ((0, 0), (511, 1023)))
    frames = np.stack([padded[:, 512 * k :][:, :1023] for k in range(n_frames)], axis=1)
    expected = np.swapaxes(scipy.fft.rfft(frames * window), 1, 2)
    assert_near(spectra_of(signals, n_frames, window), expected)


@pytest.mark.parametrize("n_frames", [1, 31, 32, 33, 70])
def test_frames_add_up(n_frames):
    rng = np.random.default_rng(3)
    window = rng.random(1023).astype(np.float32)
    real, imaginary = rng.standard_normal((2, 2, 512, n_frames))
    frames = scipy.fft.irfft(real + 1j * imaginary, 1023, axis=1) * window[:, None]
    added = np.zeros((2, 512 * n_frames + 512))
    for k in range(n_frames):
        added[:, 512 * k :][:, :1023] += frames[:, :, k]
    n_samples = 512 * n_frames - 100
    expected = added[:, 511 : 511 + n_samples]
    assert_near(signals_of(real + 1j * imaginary, n_samples, window), expected)


def test_each_sample_has_its_weight():
    spectra = np.random.default_rng(4).standard_normal((1, 512, 40)).astype(np.complex64)
    weight = np.linspace(-1, 1, 20000, dtype=np.float32)
    signals = np.empty((1, 20000), np.float32)
    synthesise(spectra.view(np.float32), RECTANGLE, weight, signals)
    assert_near(signals, weight * signals_of(spectra, 20000))
