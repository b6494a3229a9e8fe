"""Noise that is equally loud everywhere in time and frequency.

The short-time spectrum of white noise has deep holes at random places, so two noises
with the same envelope are far apart in STFT distance. Without holes, a noise is near to
all others: the magnitude at each place is the one to be expected there.
"""

from functools import cache

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import get_window

from av_envs.acoustics.binaural import octave_power_filters
from av_envs.conventions import SAMPLE_RATE

SIZE, WINDOW, HOP = 1024, 600, 120  # of the spectra that should be flat: those of the STFT distance
ITERATIONS = 40
EARS = 2


@cache
def flat_noise_bands() -> np.ndarray:
    """(2, 7, 16000) float32: a noise per ear, whose octave bands add up to unit variance."""
    noise = np.random.default_rng(0).standard_normal((EARS, SAMPLE_RATE))
    for _ in range(ITERATIONS):
        noise = _flattened(noise)
    # bands of one noise add up in amplitude, so the squares of the power filters are right
    filters = octave_power_filters(SAMPLE_RATE) ** 2
    bands = irfft(rfft(noise)[:, None] * filters, SAMPLE_RATE).astype(np.float32)
    bands.flags.writeable = False
    return bands


def _flattened(noise: np.ndarray) -> np.ndarray:
    """(E, n) after one step of Griffin and Lim, IEEE TASSP 1984, towards magnitude one."""
    window = np.pad(get_window("hann", WINDOW), (SIZE - WINDOW) // 2)
    padded = np.pad(noise, [(0, 0), (SIZE // 2, SIZE // 2)], mode="reflect")
    starts = np.arange(0, padded.shape[1] - SIZE + 1, HOP)
    places = starts[:, None] + np.arange(SIZE)
    spectra = rfft(padded[:, places] * window)
    frames = irfft(spectra / np.abs(spectra), SIZE) * window
    total, weight = np.zeros_like(padded), np.zeros(padded.shape[1])
    for k, place in enumerate(places):
        total[:, place] += frames[:, k]
        weight[place] += window**2
    middle = slice(SIZE // 2, SIZE // 2 + noise.shape[1])
    flat = total[:, middle] / weight[middle]
    return flat / flat.std(axis=1, keepdims=True)
