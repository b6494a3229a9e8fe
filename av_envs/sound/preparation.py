"""Conversion of recordings to clips: mono, 16 kHz, whole seconds, none of them silent."""

from math import gcd

import numpy as np

from av_envs.sound.clips import SAMPLE_RATE, normalised, root_mean_square

FRAME = 160  # samples, 10 ms
SILENCE = 1e-4  # full scale; what never moves farther from its mean is silent
LONGEST_PAUSE = 0.5  # s; longer ones are cut short
PAUSE_LEVEL = 0.15  # a frame below this share of the clip's RMS belongs to a pause
QUIETEST_SECOND = 0.1  # a second below this share is left out


def prepared(recording: np.ndarray, rate: int, keep_pauses: bool = False) -> np.ndarray:
    """(n,) float32, n whole seconds at 16 kHz, RMS CLIP_RMS, mean 0, no second silent.

    recording    (m,) or (m, channels) float
    rate         Hz, of the recording
    keep_pauses  leave pauses and quiet seconds in: seconds may be silent

    Channels are averaged. Pauses longer than half a second are cut to half a second and
    seconds that are quiet all the same are left out, because every second of a clip may be
    the sound itself. What remains of the last second is dropped; a recording
    shorter than one second is repeated until it fills it. What is silent, or silent but for
    a constant offset or a few clicks, is a ValueError.
    """
    mono = recording.mean(axis=1) if recording.ndim == 2 else recording
    if not np.isfinite(mono).all():
        raise ValueError("has samples that are no numbers")
    offset = np.mean(mono, dtype=np.float64)
    if not np.abs(mono - offset).max(initial=0) > SILENCE:
        raise ValueError(
            f"is silent: a constant {offset:.2g}" if abs(offset) > SILENCE else "is silent"
        )
    centred = resampled(mono - offset, rate)
    if keep_pauses:
        return normalised(whole_seconds(centred)).astype(np.float32)
    clip = whole_seconds(without_long_pauses(centred))
    return normalised(without_quiet_seconds(clip)).astype(np.float32)


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """The same sound at 16 kHz, by a polyphase filter with the exact ratio of the rates."""
    if rate == SAMPLE_RATE:
        return samples
    from scipy.signal import resample_poly  # only now: it is slow to import

    common = gcd(SAMPLE_RATE, rate)
    return resample_poly(samples, SAMPLE_RATE // common, rate // common)


def whole_seconds(samples: np.ndarray) -> np.ndarray:
    """The clip without its last, incomplete second; a shorter clip repeated to one second."""
    if len(samples) < SAMPLE_RATE:
        return np.resize(samples, SAMPLE_RATE)
    return samples[: len(samples) // SAMPLE_RATE * SAMPLE_RATE]


def without_long_pauses(samples: np.ndarray) -> np.ndarray:
    """The clip with every pause cut to LONGEST_PAUSE, half of it from either end."""
    if len(samples) < SAMPLE_RATE:
        return samples
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    keep = round(LONGEST_PAUSE / 2 * SAMPLE_RATE / FRAME)
    while True:
        levels = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1))
        loud = np.flatnonzero(levels > PAUSE_LEVEL * root_mean_square(frames))
        at = np.arange(len(frames))
        since = at - loud[np.maximum(np.searchsorted(loud, at, side="right") - 1, 0)]
        until = loud[np.minimum(np.searchsorted(loud, at), len(loud) - 1)] - at
        kept = (np.abs(since) < keep + 1) | (np.abs(until) < keep + 1)
        if kept.all():
            return frames.ravel()
        frames = frames[kept]  # louder on average now: what was just above may be a pause


def without_quiet_seconds(samples: np.ndarray) -> np.ndarray:
    """A clip of whole seconds without those far quieter than the rest."""
    whole = samples.reshape(-1, SAMPLE_RATE)
    while True:
        levels = np.sqrt(np.mean(np.square(whole, dtype=np.float64), axis=1))
        kept = levels > QUIETEST_SECOND * root_mean_square(whole)
        if kept.all():
            return whole.ravel()
        whole = whole[kept]
