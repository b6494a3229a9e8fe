"""Room-acoustic measures of impulse responses: decay times, clarity, definition.

Definitions after ISO 3382-1:2009; the decay curve is the backward integral of
Schroeder, "New method of measuring reverberation time", JASA 1965. All functions
take responses (..., n) and return one value per response; bands come from
`octave_bands` first. Times in seconds, clarity in dB, definition as a fraction.
"""

import numpy as np
from scipy.signal import butter, sosfiltfilt

from av_envs.conventions import SAMPLE_RATE

Values = np.ndarray | np.floating  # (...), a number where the response is (n,)

DIRECT_WINDOW = 0.0025  # s after the onset that count as direct sound in the DRR
ONSET_DB = 20.0  # the onset is where the response first comes within this of its peak


def octave_bands(response: np.ndarray, centres: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    """(..., n) to (..., len(centres), n): octave filters without phase shift.

    The band around half the sampling rate is a high-pass, since its upper edge does not exist.
    """
    n = response.shape[-1]  # silence comes first: filtering both ways would mirror the onset
    response = np.concatenate([np.zeros_like(response), response], axis=-1)
    bands = []
    for centre in np.atleast_1d(centres):
        low, high = centre / np.sqrt(2), centre * np.sqrt(2)
        edges, kind = ((low, high), "bandpass") if high < rate / 2 else (low, "highpass")
        bands.append(sosfiltfilt(butter(4, edges, kind, fs=rate, output="sos"), response)[..., n:])
    return np.stack(bands, axis=-2)


def decay_curve_db(response: np.ndarray) -> np.ndarray:
    """(..., n) energy still to come at each sample, dB relative to all of it; -inf when none is."""
    remaining = np.cumsum(np.square(response[..., ::-1], dtype=float), axis=-1)[..., ::-1]
    if np.any(remaining[..., 0] == 0):
        raise ValueError("a silent response has no decay")
    with np.errstate(divide="ignore"):
        return 10 * np.log10(remaining / remaining[..., :1])


def decay_time(response: np.ndarray, first: float, last: float, rate: int = SAMPLE_RATE) -> Values:
    """Seconds to fall by 60 dB, from a line through the decay curve between two levels.

    first, last  dB, e.g. -5 and -35 for T30; NaN where the response does not decay that far
    """
    curves = decay_curve_db(response)
    flat = [_slope_time(curve, first, last, rate) for curve in curves.reshape(-1, curves.shape[-1])]
    return np.reshape(flat, curves.shape[:-1])[()]


def _slope_time(curve: np.ndarray, first: float, last: float, rate: int) -> float:
    inside = np.flatnonzero((curve <= first) & (curve >= last))
    if len(inside) < 2 or not np.any(curve < last):
        return np.nan
    slope = np.polyfit(inside / rate, curve[inside], 1)[0]  # dB per second
    return -60 / slope


def t20(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    return decay_time(response, -5, -25, rate)


def t30(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    return decay_time(response, -5, -35, rate)


def early_decay_time(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    return decay_time(response, 0, -10, rate)


def onset(response: np.ndarray) -> np.ndarray:
    """(...) index of the first sample within 20 dB of the peak."""
    level = np.abs(response)
    return (level >= level.max(axis=-1, keepdims=True) * 10 ** (-ONSET_DB / 20)).argmax(axis=-1)


def early_and_late_energy(
    response: np.ndarray, seconds: float, rate: int = SAMPLE_RATE
) -> tuple[Values, Values]:
    """Energies before and after `seconds` past the onset, two arrays (...)."""
    since_onset = np.arange(response.shape[-1]) - onset(response)[..., None]
    early = since_onset < round(seconds * rate)
    energy = np.square(response, dtype=float)
    return np.sum(energy * early, axis=-1), np.sum(energy * ~early, axis=-1)


def clarity_db(response: np.ndarray, seconds: float, rate: int = SAMPLE_RATE) -> Values:
    """Early-to-late ratio: C50 for 0.05 s (speech), C80 for 0.08 s (music)."""
    early, late = early_and_late_energy(response, seconds, rate)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(early / late)


def c50(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    return clarity_db(response, 0.05, rate)


def c80(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    return clarity_db(response, 0.08, rate)


def d50(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    early, late = early_and_late_energy(response, 0.05, rate)
    return early / (early + late)


def direct_to_reverberant_db(response: np.ndarray, rate: int = SAMPLE_RATE) -> Values:
    """DRR with the first 2.5 ms after the onset as direct sound."""
    return clarity_db(response, DIRECT_WINDOW, rate)
