"""Acoustic measures of clips, real or synthetic: spectrum, pitch, modulation, crest factor.

Every clip is (n,) float at 16 kHz, any scale, not silent.
"""

from itertools import pairwise

import numpy as np
from scipy import signal

from av_envs.sound.clips import SAMPLE_RATE

OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)  # the last one ends at 8 kHz
SLOWEST, FASTEST = 60, 400  # Hz, range of a speaking voice
PITCH_FRAME, PITCH_HOP = 800, 160  # samples, 50 and 10 ms
MEL_FRAME, MEL_HOP, N_MELS = 512, 256, 32
FLOOR = 1e-6  # -60 dB of the clip's mean power


def power_spectrum(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(513,) Hz and (513,) share of the power, averaged over the clip."""
    frequency, power = signal.welch(clip, SAMPLE_RATE, nperseg=1024)
    return frequency, power / power.sum()


def octave_levels(clip: np.ndarray) -> np.ndarray:
    """(7,) dB, power in the octaves around OCTAVES_HZ over the power of the clip."""
    frequency, power = power_spectrum(clip)
    edges = np.array([*OCTAVES_HZ, 16_000]) / 2**0.5
    shares = [power[(frequency >= low) & (frequency < high)].sum() for low, high in pairwise(edges)]
    return 10 * np.log10(np.maximum(shares, FLOOR))


def pitch_track(clip: np.ndarray) -> tuple[np.ndarray, float]:
    """(m,) Hz of the voiced 10 ms frames, and their share of all frames.

    The first high peak of the normalised autocorrelation, after Boersma, "Accurate short-term
    analysis of the fundamental frequency and the harmonics-to-noise ratio", IFA 17, 1993.
    """
    low = signal.sosfilt(signal.butter(2, 900, fs=SAMPLE_RATE, output="sos"), clip)
    taper = np.hanning(PITCH_FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(low, PITCH_FRAME)[::PITCH_HOP] * taper
    power = np.fft.irfft(np.abs(np.fft.rfft(frames, 2048)) ** 2)
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, 2048)) ** 2)
    shortest, longest = SAMPLE_RATE // FASTEST, SAMPLE_RATE // SLOWEST
    lags = slice(shortest, longest)
    similarity = power[:, lags] / (power[:, :1] + 1e-12) * (own[0] / own[lags])
    energy = (frames**2).sum(axis=1)
    voiced = (similarity.max(axis=1) > 0.7) & (energy > 0.05 * energy.mean())
    pitches = [SAMPLE_RATE / (shortest + _first_peak(row)) for row in similarity[voiced]]
    return np.array(pitches), float(voiced.mean())


def _first_peak(similarity: np.ndarray) -> int:
    peaks, _ = signal.find_peaks(similarity, height=0.9 * similarity.max())
    return int(peaks[0]) if len(peaks) else int(similarity.argmax())


def modulation_peak(clip: np.ndarray) -> float:
    """Hz of the strongest modulation of loudness between 1 and 16 Hz, per octave."""
    smooth = signal.butter(2, 30, fs=SAMPLE_RATE, output="sos")
    power = signal.sosfiltfilt(smooth, np.square(clip, dtype=np.float64))
    envelope = np.sqrt(np.maximum(power, 0))[::160]
    frequency, power = signal.welch(envelope / envelope.mean() - 1, 100, nperseg=400)
    per_octave = np.convolve(power * frequency, np.full(5, 0.2), mode="same")
    inside = (frequency >= 1) & (frequency <= 16)
    return float(frequency[inside][per_octave[inside].argmax()])


def crest(clip: np.ndarray) -> float:
    """dB, highest peak over RMS."""
    mean_square = np.mean(np.square(clip, dtype=np.float64))
    return float(20 * np.log10(np.abs(clip).max() / np.sqrt(mean_square)))


def mel_levels(clip: np.ndarray) -> np.ndarray:
    """(frames, 32) dB in bands equally wide on the mel scale, one frame every 16 ms."""
    frames = np.lib.stride_tricks.sliding_window_view(clip, MEL_FRAME)[::MEL_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(MEL_FRAME).astype(np.float32))) ** 2
    return 10 * np.log10(power @ _mel_bands() + FLOOR * power.mean() * MEL_FRAME / N_MELS)


def _mel_bands() -> np.ndarray:
    """(257, 32) triangles from 60 Hz to 8 kHz that overlap by half."""
    mels = np.linspace(np.log1p(60 / 700), np.log1p(8000 / 700), N_MELS + 2)
    edges = 700 * np.expm1(mels)
    frequency = np.fft.rfftfreq(MEL_FRAME, 1 / SAMPLE_RATE)[:, None]
    rising = (frequency - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)
