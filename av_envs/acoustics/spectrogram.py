"""The only short-time Fourier transform of the suite.

One second at 16 kHz becomes 512 frequencies by 32 frames: FFT size 1023 (which has
512 bins and no Nyquist bin), hop 512, periodic Hann window as long as the FFT,
frames centred on multiples of the hop, zeros beyond both ends. These are the
parameters of Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022; zero padding is what the librosa version they pin does.
"""

import numpy as np
import scipy.fft
from scipy.signal import get_window

N_FFT = 1023
HOP = 512
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
    padded = np.zeros((*signals.shape[:-1], signals.shape[-1] + 2 * MARGIN), np.float32)
    padded[..., MARGIN:-MARGIN] = signals
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[..., ::HOP, :]
    return np.swapaxes(scipy.fft.rfft(frames * WINDOW, axis=-1), -1, -2)


def istft(spectra: np.ndarray, n_samples: int) -> np.ndarray:
    """Signal whose short-time spectra are nearest to `spectra` in the least-squares sense.

    spectra  (..., 512, n_frames) complex64
    returns  (..., n_samples) float32; `istft(stft(x), len(x))` is x

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform",
    IEEE TASSP 1984: windowed overlap-add over the sum of squared windows.
    """
    frames = scipy.fft.irfft(np.swapaxes(spectra, -1, -2), N_FFT, axis=-1)
    frames *= WINDOW
    added = _overlap_add(frames)
    end = MARGIN + n_samples
    if end > added.shape[-1]:
        raise ValueError(f"{frames.shape[-2]} frames do not reach {n_samples} samples")
    return added[..., MARGIN:end] * _inverse_weight(frames.shape[-2])[MARGIN:end]


def _overlap_add(frames: np.ndarray) -> np.ndarray:
    """(..., n, 1023) to (..., n * 512 + 512); a frame spans two hops less a sample."""
    n = frames.shape[-2]
    blocks = np.zeros((*frames.shape[:-2], n + 1, HOP), np.float32)
    blocks[..., :n, :] += frames[..., :HOP]
    blocks[..., 1:, : N_FFT - HOP] += frames[..., HOP:]
    return blocks.reshape(*frames.shape[:-2], (n + 1) * HOP)


_INVERSE_WEIGHTS: dict[int, np.ndarray] = {}


def _inverse_weight(n: int) -> np.ndarray:
    """One over the sum of the squared windows of n frames, (n * 512 + 512,)."""
    if n not in _INVERSE_WEIGHTS:
        weight = _overlap_add(np.broadcast_to(WINDOW**2, (n, N_FFT)))
        _INVERSE_WEIGHTS[n] = 1 / np.maximum(weight, np.finfo(np.float32).tiny)
    return _INVERSE_WEIGHTS[n]
