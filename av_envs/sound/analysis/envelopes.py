"""Measures of how the loudness and the spectrum of a clip move: modulation, rises, onsets.

Every clip is (n,) float at 16 kHz, any scale, not silent, a second long or longer.
"""

import numpy as np
from scipy import signal

from av_envs.sound.analysis.measures import OCTAVES_HZ, mel_levels
from av_envs.sound.clips import SAMPLE_RATE

ENVELOPE_RATE = 200  # per second
SPEECH_BAND = (2.0, 8.0)  # Hz, modulations that syllables make
SLOWEST, FASTEST = 0.5, 32.0  # Hz, all modulations that count
RISE = (-20.0, -3.0)  # dB below a peak of loudness, where its rise begins and ends
LOUD_PEAK = -10.0  # dB over the clip's mean power; lower peaks of loudness do not count
STANDS_OUT = 0.6  # dB of flux above its surroundings that make an onset


def envelope(samples: np.ndarray) -> np.ndarray:
    """(m,) mean magnitude around every 5 ms, smoothed below 40 Hz."""
    power = np.square(samples, dtype=np.float64)
    hop = SAMPLE_RATE // ENVELOPE_RATE
    frames = power[: len(power) // hop * hop].reshape(-1, hop).mean(axis=1)
    smooth = signal.butter(2, 40, fs=ENVELOPE_RATE, output="sos")
    return np.sqrt(np.maximum(signal.sosfiltfilt(smooth, frames), 0))


def octave_envelopes(clip: np.ndarray) -> np.ndarray:
    """(6, m) envelopes of the octaves around 125 Hz to 4 kHz."""
    bands = [
        signal.butter(2, (f / 2**0.5, f * 2**0.5), "band", fs=SAMPLE_RATE, output="sos")
        for f in OCTAVES_HZ[:-1]
    ]
    return np.stack([envelope(signal.sosfilt(band, clip)) for band in bands])


def modulation_spectrum(loudness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k,) Hz and (k,) modulation power per octave of an envelope, SLOWEST to FASTEST, sum 1.

    Houtgast and Steeneken, "A review of the MTF concept in room acoustics", JASA 77, 1985.
    """
    relative = loudness / loudness.mean() - 1
    n = min(4 * ENVELOPE_RATE, len(loudness))
    frequency, power = signal.welch(relative, ENVELOPE_RATE, nperseg=n)
    inside = (frequency >= SLOWEST) & (frequency <= FASTEST)
    power = power[inside]
    return frequency[inside], power / power.sum()


def syllabic_share(loudness: np.ndarray) -> float:
    """Share of the modulation power of an envelope that lies between 2 and 8 Hz."""
    frequency, power = modulation_spectrum(loudness)
    low, high = SPEECH_BAND
    return float(power[(frequency >= low) & (frequency <= high)].sum())


def levels(clip: np.ndarray, seconds: float = 0.02) -> np.ndarray:
    """(m,) dB of frames of so many seconds over the RMS of the clip."""
    n = round(seconds * SAMPLE_RATE)
    power = np.square(clip[: len(clip) // n * n], dtype=np.float64).reshape(-1, n).mean(axis=1)
    return 10 * np.log10(power / power.mean() + 1e-9)


def rise_times(clip: np.ndarray) -> np.ndarray:
    """(k,) seconds in which loudness rises towards its peaks, between the levels of RISE.

    A peak counts if 0.3 s before it or later the sound was as soft as RISE[0] below it.
    """
    hop = 32  # 2 ms
    power = np.square(clip[: len(clip) // hop * hop], dtype=np.float64)
    smooth = np.convolve(power.reshape(-1, hop).mean(axis=1), np.full(5, 0.2), mode="same")
    level = 10 * np.log10(smooth / smooth.mean() + 1e-9)
    rises = []
    for peak in signal.find_peaks(level, height=LOUD_PEAK, distance=40)[0]:
        before = level[max(0, peak - 150) : peak + 1] - level[peak]
        soft = np.flatnonzero(before < RISE[0])
        if len(soft):
            steps = np.flatnonzero(before[soft[-1] :] > RISE[1])[0]
            rises.append(steps * hop / SAMPLE_RATE)
    return np.array(rises)


def spectral_flux(clip: np.ndarray) -> np.ndarray:
    """(m,) dB by which mel bands grow louder from one 16 ms frame to the next, their mean."""
    return np.maximum(np.diff(mel_levels(clip), axis=0), 0).mean(axis=1)


def onset_rate(clip: np.ndarray) -> float:
    """Onsets per second: peaks of the spectral flux that stand out from their surroundings."""
    flux = spectral_flux(clip)
    around = signal.medfilt(flux, 31)
    peaks, _ = signal.find_peaks(flux - around, height=STANDS_OUT, distance=4)
    return len(peaks) / (len(clip) / SAMPLE_RATE)


def chroma(clip: np.ndarray) -> np.ndarray:
    """(frames, 12) share of the power of each pitch class, 100 Hz to 2 kHz, frames of 256 ms."""
    n = 4096
    frames = clip[: len(clip) // n * n].reshape(-1, n) * np.hanning(n)
    frequency = np.fft.rfftfreq(4 * n, 1 / SAMPLE_RATE)
    power = np.abs(np.fft.rfft(frames, 4 * n)) ** 2
    inside = (frequency > 100) & (frequency < 2000)
    which = np.round(12 * np.log2(frequency[inside] / 440)).astype(int) % 12
    share = power[:, inside] @ np.eye(12)[which]
    return share / (share.sum(axis=1, keepdims=True) + 1e-12)
