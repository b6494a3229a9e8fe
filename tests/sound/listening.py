"""What else an instrument would measure, beside av_envs.sound.analysis.measures."""

import numpy as np

from av_envs.sound.analysis.measures import power_spectrum

RATE = 16_000


def share_between(samples, low, high):
    frequency, power = power_spectrum(samples)
    return power[(frequency >= low) & (frequency < high)].sum()


def spectral_slope(samples):
    """dB per octave from 500 Hz to 6 kHz."""
    frequency, power = power_spectrum(samples)
    inside = (frequency >= 500) & (frequency <= 6000)
    return np.polyfit(np.log2(frequency[inside]), 10 * np.log10(power[inside]), 1)[0]


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
