"""The transform against a naive DFT, and its own inverse."""

import numpy as np
import pytest

from av_envs.acoustics.spectrogram import HOP, N_FFT, N_FREQUENCIES, istft, n_frames, stft


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).standard_normal(16000).astype(np.float32)


def naive_frame(signal, frame):
    """Periodic Hann window of 1023 samples, centred on `frame * 512`, zeros outside."""
    t = np.arange(1023)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * t / 1023)
    padded = np.concatenate([np.zeros(511), signal, np.zeros(2000)])
    piece = padded[frame * 512 :][:1023] * window
    return np.exp(-2j * np.pi * np.outer(np.arange(512), t) / 1023) @ piece


@pytest.mark.parametrize("frame", [0, 7, 31])  # the first and last reach beyond the signal
def test_a_frame_is_the_transform_of_the_windowed_piece(noise, frame):
    np.testing.assert_allclose(stft(noise)[:, frame], naive_frame(noise, frame), atol=2e-4)


def test_one_second_has_512_frequencies_and_32_frames(noise):
    ears = np.stack([noise, -noise])
    spectra = stft(ears)
    assert spectra.shape == (2, 512, 32)
    assert spectra.dtype == np.complex64
    assert n_frames(16000) == 32
    np.testing.assert_array_equal(spectra[1], -spectra[0])


@pytest.mark.parametrize("n", [16000, 32000, 12345])
def test_the_inverse_gives_the_signal_back(n):
    signal = np.random.default_rng(1).standard_normal((2, n)).astype(np.float32)
    np.testing.assert_allclose(istft(stft(signal), n), signal, atol=1e-5)


def test_the_transform_is_linear(noise):
    other = noise[::-1].copy()
    both = stft(2 * noise - 3 * other)
    np.testing.assert_allclose(both, 2 * stft(noise) - 3 * stft(other), atol=1e-3)


def test_energy_is_that_of_the_windowed_signal(noise):
    """Parseval: no Nyquist bin, so that all bins but the first count twice."""
    power = np.abs(stft(noise).astype(complex)) ** 2
    energy = (2 * power.sum() - power[0].sum()) / N_FFT
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    padded = np.concatenate([np.zeros(511), noise, np.zeros(511)])
    frames = [padded[HOP * k :][:N_FFT] * window for k in range(32)]
    assert energy == pytest.approx(np.sum(np.square(frames)), rel=1e-5)


def test_a_tone_shows_up_at_its_frequency():
    k = 100
    tone = np.sin(2 * np.pi * k / N_FFT * np.arange(16000)).astype(np.float32)
    spectra = np.abs(stft(tone))
    assert (spectra[:, 1:31].argmax(axis=0) == k).all()
    np.testing.assert_allclose(spectra[k, 1:31], N_FFT / 4, rtol=1e-3)  # half of the window's sum


def test_the_inverse_is_the_nearest_signal(noise):
    """Griffin and Lim: no other signal has spectra nearer to inconsistent ones."""
    rng = np.random.default_rng(2)
    wanted = rng.standard_normal((512, 32)) + 1j * rng.standard_normal((512, 32))
    wanted = wanted.astype(np.complex64)
    weight = np.full((N_FREQUENCIES, 1), 2.0)
    weight[0] = 1
    wanted[0] = wanted[0].real  # of a real signal

    def distance(signal):
        return np.sum(weight * np.abs(stft(signal) - wanted) ** 2)

    best = istft(wanted, 16000)
    direction = rng.standard_normal(16000).astype(np.float32) * 1e-2
    up, here, down = (distance(best + sign * direction) for sign in (1, 0, -1))
    assert here < min(up, down)
    assert abs(up - down) < 0.05 * (up + down - 2 * here)  # the bottom, not a slope


def test_wrong_lengths_raise(noise):
    with pytest.raises(ValueError, match="32 frames do not reach 17000 samples"):
        istft(stft(noise), 17000)
    with pytest.raises(ValueError, match="need 512 frequencies, got 513"):
        istft(np.zeros((513, 32), np.complex64), 16000)
    with pytest.raises(ValueError, match="at least one sample"):
        stft(np.zeros(0, np.float32))
