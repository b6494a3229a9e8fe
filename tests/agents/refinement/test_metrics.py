"""Errors of signals against closed forms."""

import numpy as np
import pytest
import torch
from scipy.signal import hilbert

from av_envs.agents.refinement.metrics import (
    envelope_error,
    errors,
    gap_closed,
    level_error_db,
    magnitude_error,
    means,
    room_errors,
    snr_db,
    spectrum,
)

RATE = 22_050


def noise(n: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, n))


def decay(t60: float, n: int = 16000, gain: tuple[float, float] = (1, 1)) -> np.ndarray:
    fall = 10 ** (-3 * np.arange(n) / 16000 / t60)
    return noise(n) * fall * np.array(gain)[:, None]


def test_the_spectrum_has_the_shape_of_av_nerf():
    assert spectrum(noise()).shape == (2, 257, 173)


def test_the_spectrum_is_that_of_librosa():
    """Whose defaults are these options of torch: periodic Hann, zeros around the signal."""
    signal, window = torch.from_numpy(noise()), torch.hann_window(512, dtype=torch.float64)
    options = {"center": True, "pad_mode": "constant", "return_complex": True}
    theirs = torch.stft(signal, 512, 128, window=window, **options)
    np.testing.assert_allclose(spectrum(noise()), theirs.numpy(), atol=1e-9)


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0, 3.0])
def test_a_gain_has_closed_forms(gain):
    truth = noise()
    envelope = np.abs(hilbert(truth))
    rms = np.sqrt(np.mean(envelope**2, axis=-1)).sum()
    assert envelope_error(gain * truth, truth) == pytest.approx(abs(1 - gain) * rms)
    power = np.mean(np.abs(spectrum(truth)) ** 2, axis=(1, 2)).sum()
    assert magnitude_error(gain * truth, truth) == pytest.approx((1 - gain) ** 2 * power)
    mean = np.mean(truth**2)
    expected = 10 * np.log10((mean + 1e-4) / ((1 - gain) ** 2 * mean + 1e-4))
    assert snr_db(gain * truth, truth) == pytest.approx(expected)


def test_a_gain_of_one_ear_counts_once():
    truth, found = noise(), noise()
    found[1] *= 2
    alone = np.sqrt(np.mean(np.abs(hilbert(truth[1])) ** 2))
    assert envelope_error(found, truth) == pytest.approx(alone)


@pytest.mark.parametrize("gain_db", [-6.0, 0.0, 3.0])
def test_levels_are_off_by_the_gain(gain_db):
    truth = noise(8000)
    assert level_error_db(10 ** (gain_db / 20) * truth, truth) == pytest.approx(abs(gain_db))


def test_levels_below_those_that_are_judged_do_not_matter():
    truth = noise(8000)
    truth[:, 4000:] *= 1e-5
    found = truth.copy()
    found[:, 4800:] *= 100
    assert level_error_db(found, truth) < 0.01


def test_a_silent_truth_is_refused():
    with pytest.raises(ValueError, match="silent"):
        level_error_db(noise(), 0 * noise())


def test_measures_of_rooms():
    found = room_errors(decay(0.44), decay(0.4), 16000)
    assert found["t60"] == pytest.approx(10, abs=0.5)
    assert found["edt"] == pytest.approx(40, abs=6)
    assert found["ild"] < 0.1
    louder = room_errors(decay(0.4, gain=(2, 1)), decay(0.4), 16000)
    assert louder["ild"] == pytest.approx(20 * np.log10(2))
    assert louder["t60"] == louder["c50"] == 0


def test_errors_do_not_depend_on_loudness():
    found, truth = decay(0.3), decay(0.4)
    alone, louder = errors(found, truth, 16000), errors(7 * found, 7 * truth, 16000)
    assert alone == pytest.approx(louder)


def test_the_gap():
    before, floor, houses = np.full(6, 5.0), np.full(6, 1.0), np.arange(6) // 2
    share, low, high = gap_closed(before, np.full(6, 3.0), floor, houses)
    assert (share, low, high) == (0.5, 0.5, 0.5)
    assert gap_closed(before, before, floor, houses)[0] == 0
    assert gap_closed(before, floor, floor, houses)[0] == 1
    after = np.array([1.0, 1.0, 5.0, 5.0, 3.0, 3.0])
    share, low, high = gap_closed(before, after, floor, houses)
    assert share == 0.5
    assert 0 <= low < 0.5 < high <= 1


def test_means_leave_out_what_is_not_known():
    assert means([{"a": 1.0, "b": np.nan}, {"a": 3.0, "b": 4.0}]) == {"a": 2.0, "b": 4.0}
