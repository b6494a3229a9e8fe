"""Short-time Fourier transform of all tasks.

One second at 16 kHz becomes 512 frequencies by 32 frames: FFT size 1023 (which has
512 bins and no Nyquist bin), hop 512, periodic Hann window as long as the FFT,
frames centred on multiples of the hop, zeros beyond both ends. These are the
parameters of Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022; zero padding is what the librosa version they pin does.
"""

from math import prod

import numpy as np
from scipy.signal import get_window

from av_envs.acoustics.prime_factor import HOP, N_FFT, analyse, synthesise

N_FREQUENCIES = N_FFT // 2 + 1
MARGIN = N_FFT // 2  # zeros before the first sample
WINDOW = get_window("hann", N_FFT, fftbins=True).astype(np.float32)


def n_frames(n_samples: int) -> int:
    return 1 + (n_samples + 2 * MARGIN - N_FFT) // HOP


def stft(signals: np.ndarray) -> np.ndarray:
    """Complex spectrogram.

    signals  (..., n_samples) float32
    returns  (..., 512, n_frames) complex64; 32 frames for one second
    """
    *shape, n_samples = signals.shape
    if n_samples == 0:
        raise ValueError(f"a signal needs at least one sample, got the shape {signals.shape}")
    rows = np.require(signals, np.float32, "CW").reshape(prod(shape), n_samples)
    spectra = np.empty((len(rows), N_FREQUENCIES, n_frames(n_samples)), np.complex64)
    analyse(rows, WINDOW, spectra.view(np.float32))
    return spectra.reshape(*shape, *spectra.shape[1:])


def istft(spectra: np.ndarray, n_samples: int) -> np.ndarray:
    """Signal whose short-time spectra are nearest to `spectra` in the least-squares sense.

    spectra  (..., 512, n_frames) complex64
    returns  (..., n_samples) float32; `istft(stft(x), len(x))` is x

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform",
    IEEE TASSP 1984: windowed overlap-add over the sum of squared windows.
    """
    *shape, n_frequencies, n = spectra.shape
    if n_frequencies != N_FREQUENCIES:
        raise ValueError(f"spectra need {N_FREQUENCIES} frequencies, got {n_frequencies}")
    weight = _inverse_weight(n)[MARGIN : MARGIN + n_samples]
    if len(weight) < n_samples:
        raise ValueError(f"{n} frames do not reach {n_samples} samples")
    rows = np.require(spectra, np.complex64, "CW").reshape(prod(shape), n_frequencies, n)
    signals = np.empty((len(rows), n_samples), np.float32)
    synthesise(rows.view(np.float32), WINDOW, weight, signals)
    return signals.reshape(*shape, n_samples)


_INVERSE_WEIGHTS: dict[int, np.ndarray] = {}


def _inverse_weight(n: int) -> np.ndarray:
    """One over the sum of the squared windows of n frames, (n * 512 + 512,)."""
    if n not in _INVERSE_WEIGHTS:
        weight = np.zeros((n + 1, HOP), np.float32)
        weight[:n] += WINDOW[:HOP] ** 2
        weight[1:, : N_FFT - HOP] += WINDOW[HOP:] ** 2
        _INVERSE_WEIGHTS[n] = 1 / np.maximum(weight.ravel(), np.finfo(np.float32).tiny)
    return _INVERSE_WEIGHTS[n]
