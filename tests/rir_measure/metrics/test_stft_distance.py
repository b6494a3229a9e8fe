"""The distance of responses against a slow float64 transform, torch and closed forms."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.signal import get_window

from av_envs.rir_measure.metrics import stft_distance as module
from av_envs.rir_measure.metrics.stft_distance import Spectra, distance, spectra, stft_distance

N = 16_000
SECONDS = np.arange(N) / N


def decaying_noise(t60, peak, shape, seed=0):
    noise = np.random.default_rng(seed).standard_normal((*shape, N))
    return (peak * noise * 10 ** (-3 * SECONDS / t60)).astype(np.float32)


def slow_magnitude(rirs, window="hann"):
    """(..., 513, 134) float64, one line per sentence of the definition."""
    weights = np.zeros(1024)
    weights[212:812] = get_window(window, 600, fftbins=True)
    padded = np.pad(rirs.astype(float), [(0, 0)] * (rirs.ndim - 1) + [(512, 512)], mode="reflect")
    frames = np.stack([padded[..., k * 120 : k * 120 + 1024] for k in range(134)], axis=-1)
    spectrum = np.fft.rfft(frames * weights[:, None], axis=-2)
    return np.sqrt(np.maximum(np.abs(spectrum) ** 2, 1e-7))


def slow_distance(truth, predicted, window="hann"):
    z, p = slow_magnitude(truth, window), slow_magnitude(predicted, window)
    theta = np.linalg.norm(z - p, axis=(-2, -1)) / np.linalg.norm(z, axis=(-2, -1))
    xi = np.abs(np.log(z) - np.log(p)).mean(axis=(-2, -1))
    return (0.5 * theta + 0.5 * xi).mean(axis=-1)


def theta_and_xi(truth, predicted):
    """The two parts of a distance, from two distances with different weights of theirs."""
    z, p = (spectra(rirs).magnitude.astype(float) for rirs in (truth, predicted))
    return np.linalg.norm(z - p) / np.linalg.norm(z), np.abs(np.log(z / p)).mean()


@pytest.mark.parametrize("window", ["hann", "hamming"])
@pytest.mark.parametrize("t60", [0.05, 0.3, 2.0])
def test_magnitudes_and_distances_are_those_of_the_slow_transform(t60, window):
    truth = decaying_noise(t60, 0.3, (2, 2))
    predicted = decaying_noise(0.8 * t60, 0.2, (2, 2), seed=1)
    magnitude = spectra(truth, window).magnitude
    assert magnitude.shape == (2, 2, 513, 134)
    assert magnitude.dtype == np.float32
    assert_allclose(magnitude, slow_magnitude(truth, window), atol=1e-5)
    expected = slow_distance(truth, predicted, window)
    assert_allclose(stft_distance(truth, predicted, window), expected, atol=1e-5)


@pytest.mark.parametrize("first", [0, 1, 15_999, 8_123])
def test_a_click_anywhere_has_the_slow_transform(first):
    """Mirrored ends and the frames around silence, where the transform is left out."""
    click = np.zeros((1, N), np.float32)
    click[0, first] = 1
    assert_allclose(spectra(click).magnitude, slow_magnitude(click), atol=1e-6)


@pytest.mark.parametrize("level", [1e-6, 2e-6, 1e-5, 1e-4])
def test_leaving_out_quiet_frames_changes_nothing(level):
    rirs = level * np.sin(2 * np.pi * 440 * SECONDS[None]).astype(np.float32)
    rirs += decaying_noise(0.1, 0.5, (1,))
    assert_allclose(spectra(rirs).magnitude, slow_magnitude(rirs), rtol=2e-3, atol=1e-7)


def test_distance_is_that_of_torch():
    truth, predicted = decaying_noise(0.4, 0.2, (2, 2)), decaying_noise(0.5, 0.1, (2, 2), seed=1)

    def magnitude(rirs):
        rows = torch.from_numpy(rirs).reshape(-1, N)
        spectrum = torch.stft(
            rows, 1024, 120, 600, torch.hann_window(600), center=True, return_complex=True
        )
        power = spectrum.real**2 + spectrum.imag**2
        return power.clamp(min=1e-7).sqrt().reshape(2, 2, 513, 134)

    z, p = magnitude(truth), magnitude(predicted)
    theta = torch.linalg.matrix_norm(z - p) / torch.linalg.matrix_norm(z)
    xi = (z.log() - p.log()).abs().mean(dim=(-2, -1))
    expected = (0.5 * theta + 0.5 * xi).mean(dim=-1)
    assert_allclose(stft_distance(truth, predicted), expected.numpy(), atol=1e-5)


def test_the_truth_is_at_no_distance_from_itself():
    truth = decaying_noise(0.5, 0.2, (3, 2))
    assert (stft_distance(truth, truth) == 0).all()


def test_silence_has_theta_one_and_the_floor_as_its_logarithm():
    truth = decaying_noise(0.5, 0.2, (1, 1))
    silence = np.zeros_like(truth)
    theta, xi = theta_and_xi(truth, silence)
    assert theta == pytest.approx(1, abs=0.01)
    floor = np.log(np.sqrt(1e-7))
    assert xi == pytest.approx((np.log(slow_magnitude(truth)) - floor).mean(), abs=1e-5)
    assert stft_distance(truth, silence) == pytest.approx(0.5 * theta + 0.5 * xi, abs=1e-6)


def test_a_silent_truth_has_a_finite_distance():
    silence = np.zeros((1, 2, N), np.float32)
    assert stft_distance(silence, silence) == 0
    far = stft_distance(silence, decaying_noise(0.5, 0.2, (1, 2)))
    assert np.isfinite(far).all()
    assert (far > 100).all()


def test_a_change_of_level_far_above_the_floor_is_its_logarithm():
    truth = np.random.default_rng(0).standard_normal((1, 1, N)).astype(np.float32)
    gain = np.float32(2)
    expected = 0.5 * 1 + 0.5 * np.log(2)
    assert stft_distance(truth, gain * truth) == pytest.approx(expected, abs=1e-4)


def test_the_distance_of_a_louder_pair_is_no_symmetric_one():
    truth = np.random.default_rng(0).standard_normal((1, 1, N)).astype(np.float32)
    backwards = stft_distance(2 * truth, truth)
    assert backwards == pytest.approx(0.25 + 0.5 * np.log(2), abs=1e-4)


@pytest.mark.parametrize("gain", [1e-3, 1, 1000])
def test_products_of_magnitudes_neither_overflow_nor_vanish(gain):
    truth = np.float32(gain) * np.random.default_rng(0).standard_normal((1, 1, N))
    truth = truth.astype(np.float32)
    silence = np.zeros_like(truth)
    assert_allclose(stft_distance(truth, silence), slow_distance(truth, silence), rtol=1e-5)


def test_spectra_are_kept_and_compared_per_channel():
    truth, predicted = decaying_noise(0.4, 0.2, (2, 2)), decaying_noise(0.5, 0.1, (2, 2), seed=1)
    kept = spectra(predicted)
    per_channel = distance(spectra(truth), kept)
    assert per_channel.shape == (2, 2)
    assert_allclose(per_channel.mean(axis=-1), stft_distance(truth, predicted), rtol=1e-12)
    assert distance(Spectra(kept.magnitude[0, 0]), Spectra(kept.magnitude[0, 0])) == 0


def test_the_windows_differ_by_little():
    truth, predicted = decaying_noise(0.4, 0.2, (1, 2)), decaying_noise(0.4, 0.2, (1, 2), seed=1)
    hann, hamming = (stft_distance(truth, predicted, window) for window in ("hann", "hamming"))
    assert hann != hamming
    assert_allclose(hann, hamming, rtol=0.015)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2e5])
@pytest.mark.parametrize("place", [0, 100, 8_000, 15_999])
def test_what_is_no_sound_raises(value, place):
    rirs = np.zeros((2, 2, N), np.float32)
    rirs[1, 0, place] = value
    with pytest.raises(ValueError, match="response 2 reaches"):
        spectra(rirs)


def test_other_lengths_shapes_and_windows_raise():
    rirs = np.zeros((1, 2, N), np.float32)
    with pytest.raises(ValueError, match="need 16000 samples, got 15999"):
        spectra(rirs[..., :-1])
    with pytest.raises(ValueError, match="window must be one of"):
        spectra(rirs, "hanning")
    with pytest.raises(ValueError, match="cannot be compared"):
        distance(spectra(rirs), spectra(rirs[:, :1]))


def test_the_numbers_are_those_of_the_paper():
    """Table 9: fft size 1024, shift 120, window length 600; one second has 513 by 134 bins."""
    assert (module.N_FFT, module.HOP, module.WINDOW_LENGTH) == (1024, 120, 600)
    assert (module.N_FREQUENCIES, module.N_FRAMES) == (513, 134)
