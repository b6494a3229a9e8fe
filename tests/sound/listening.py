"""What an ear or an instrument would measure; used to judge synthetic and real sounds alike."""

import numpy as np
from scipy import signal

RATE = 16_000
FRAME = 800  # samples, 50 ms
SLOWEST, FASTEST = 60, 400  # Hz, range of a speaking voice


def spectrum(samples):
    """(frequencies Hz, power per bin summing to 1), averaged over the clip."""
    frequency, power = signal.welch(samples, RATE, nperseg=1024)
    return frequency, power / power.sum()


def share_between(samples, low, high):
    frequency, power = spectrum(samples)
    return power[(frequency >= low) & (frequency < high)].sum()


def spectral_slope(samples):
    """dB per octave from 500 Hz to 6 kHz."""
    frequency, power = spectrum(samples)
    inside = (frequency >= 500) & (frequency <= 6000)
    return np.polyfit(np.log2(frequency[inside]), 10 * np.log10(power[inside]), 1)[0]


def pitch_track(samples):
    """Hz of the voiced 10 ms frames: the first high peak of the normalised autocorrelation."""
    low = signal.sosfilt(signal.butter(2, 900, fs=RATE, output="sos"), samples)
    taper = np.hanning(FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(low, FRAME)[::160] * taper
    power = np.fft.irfft(np.abs(np.fft.rfft(frames, 2048)) ** 2)
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, 2048)) ** 2)
    shortest, longest = RATE // FASTEST, RATE // SLOWEST
    lags = slice(shortest, longest)
    similarity = power[:, lags] / (power[:, :1] + 1e-12) * (own[0] / own[lags])
    energy = (frames**2).sum(axis=1)
    voiced = (similarity.max(axis=1) > 0.7) & (energy > 0.05 * energy.mean())
    pitches = []
    for row in similarity[voiced]:
        peaks, _ = signal.find_peaks(row, height=0.9 * row.max())
        pitches.append(RATE / (shortest + (peaks[0] if len(peaks) else row.argmax())))
    return np.array(pitches), voiced.mean()


def envelope_modulation(samples):
    """(frequencies Hz, power per octave) of the amplitude envelope, smoothed."""
    smooth = signal.butter(2, 30, fs=RATE, output="sos")
    envelope = np.sqrt(np.maximum(signal.sosfiltfilt(smooth, samples**2), 0))[::160]
    frequency, power = signal.welch(envelope / envelope.mean() - 1, 100, nperseg=400)
    return frequency, np.convolve(power * frequency, np.full(5, 0.2), mode="same")


def syllable_rate(samples):
    """Hz of the strongest modulation between 1 and 16 Hz, per octave."""
    frequency, power = envelope_modulation(samples)
    inside = (frequency >= 1) & (frequency <= 16)
    return frequency[inside][power[inside].argmax()]


def tone_frequency(samples):
    """Hz of the strongest sinusoid, by interpolation between the bins of a long transform."""
    n = 8 * len(samples)
    level = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), n))
    k = level[1:-1].argmax() + 1
    left, middle, right = np.log(level[k - 1 : k + 2])
    return (k + 0.5 * (left - right) / (left - 2 * middle + right)) * RATE / n


def quietest_second(samples):
    """RMS of the quietest whole second over the RMS of the clip."""
    levels = np.sqrt(np.mean(np.reshape(samples, (-1, RATE)) ** 2, axis=1, dtype=np.float64))
    return levels.min() / np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
