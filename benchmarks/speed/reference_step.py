"""One audio step as the papers' own code makes it, rewritten from its description.

Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV
2022, read a recorded binaural impulse response per source and step from disk, convolve
it with the current second, pass through 16-bit integers, and take the short-time
spectra (FFT size 1023, hop 512, Hann, centred) of the mixture at both ears, of each
source at both ears and of each dry source. It is here to be timed beside ours.
"""

from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import fftconvolve, get_window

SAMPLE_RATE = 16_000  # Hz
N_FFT = 1023
HOP = 512
INT16 = 32768.0  # full scale
WINDOW = get_window("hann", N_FFT).astype(np.float32)[:, None]


def audio_step(responses: list[Path], seconds: np.ndarray) -> dict[str, np.ndarray]:
    """Everything their simulator computes about sound in one step.

    responses  per source a wav file of (n, 2) float32 at 16 kHz
    seconds    (n_sources, 16000) float32 in 16-bit units, the dry second of each source
    returns    mixture (512, 32, 4), binaural (512, 32, 4 per source) and mono (512, 32,
               2 per source) float32: magnitude and phase of each channel, in turn
    """
    ears = np.stack([_at_the_ears(path, dry) for path, dry in zip(responses, seconds, strict=True)])
    mixture = ears.sum(axis=0) / len(ears)
    return {
        "mixture": _spectra(mixture),
        "binaural": _spectra(ears.reshape(-1, ears.shape[-1])),
        "mono": _spectra(seconds / INT16),
    }


def _at_the_ears(path: Path, dry: np.ndarray) -> np.ndarray:
    """(2, 16000) float32: the centre of the full convolution, rounded to 16 bits."""
    rate, response = wavfile.read(path)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path} has {rate} Hz, not {SAMPLE_RATE}")
    heard = np.stack([fftconvolve(dry, response[:, ear], mode="same") for ear in range(2)])
    wrapped = np.round(heard).astype(np.int32).astype(np.int16)  # wraps on every processor
    return wrapped.astype(np.float32) / np.float32(INT16)


def _spectra(channels: np.ndarray) -> np.ndarray:
    """(512, 32, 2 per channel): magnitude and phase, channel by channel as they do it."""
    parts = []
    for channel in channels:
        spectrum = centred_stft(channel)
        parts += [np.abs(spectrum), np.angle(spectrum)]
    return np.stack(parts, axis=-1)


def centred_stft(signal: np.ndarray) -> np.ndarray:
    """(512, 32) complex64 of one second: frames in columns, zeros beyond both ends."""
    padded = np.pad(signal, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP].T
    return np.fft.rfft(WINDOW * frames, axis=0).astype(np.complex64)


def write_responses(directory: Path, n: int, seconds: float = 1.0) -> list[Path]:
    """Write n decaying binaural noises (T60 0.5 s) as wav files; returns their paths."""
    rng = np.random.default_rng(0)
    n_samples = round(seconds * SAMPLE_RATE)
    decay = 10 ** (-3 * np.arange(n_samples) / (0.5 * SAMPLE_RATE))
    paths = []
    for index in range(n):
        response = 0.02 * decay[:, None] * rng.standard_normal((n_samples, 2))
        paths.append(directory / f"{index}.wav")
        wavfile.write(paths[-1], SAMPLE_RATE, response.astype(np.float32))
    return paths
