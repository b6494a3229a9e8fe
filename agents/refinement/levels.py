"""Levels of a response by ear, octave band and time, and responses with other levels.

A waveform of 16,000 samples is more than a processor without help can refine in a training of
minutes; its levels are 14 signals of 100 frames. What is refined then are the levels: the
response keeps its delays and its fine structure, and is made louder or softer frame by frame in
each band. Only where there is next to nothing to make louder, noise is filled in.
"""

from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from av_envs.acoustics.binaural import octave_power_filters
from av_envs.conventions import N_BANDS

FRAME = 160  # samples, 10 ms
FLOOR_DB = -80.0  # of a frame in one band, below the energy of the whole response
UNIT_DB = 20.0  # that are 1 in the flow
CENTRE_DB = -40.0  # that are 0 in the flow
MOST_GAIN_DB = 20.0  # by which a frame is made louder; what lacks then is noise
CHANNELS = 2 * N_BANDS
RINGING = 1600  # samples of silence, so that the filters' ringing does not come round


def n_frames(n: int) -> int:
    """Of a response of n samples; the last one may be incomplete."""
    return -(-n // FRAME)


def band_signals(response: np.ndarray) -> np.ndarray:
    """(..., n) to (..., 7, frames * 160): octave bands without phase shift; they add up to it."""
    size = _fft_size(response.shape[-1])
    bands = irfft(rfft(response, size)[..., None, :] * _filters(size), size)
    return bands[..., : n_frames(response.shape[-1]) * FRAME]


def band_energies(bands: np.ndarray) -> np.ndarray:
    """(..., 7, frames * 160) of `band_signals` to (..., 7, frames)."""
    frames = bands.reshape(*bands.shape[:-1], -1, FRAME)
    return np.einsum("...t,...t->...", frames, frames).astype(np.float64)


def energy(response: np.ndarray) -> np.ndarray:
    """(..., 2, n) to (...): of both ears."""
    return np.sum(np.square(response, dtype=np.float64), axis=(-2, -1))


def as_flow(energies: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Levels in the unit of the flow, (..., 14, frames) float32: 7 bands left, then right.

    energies   (..., 2, 7, frames) of `band_energies`
    reference  (...) energy that is 0 dB; levels end at FLOOR_DB, softly
    """
    share = energies / np.asarray(reference)[..., None, None, None]
    level = 10 * np.log10(share + 10 ** (FLOOR_DB / 10))
    flat = level.reshape(*level.shape[:-3], CHANNELS, level.shape[-1])
    return ((flat - CENTRE_DB) / UNIT_DB).astype(np.float32)


def with_levels(
    response: np.ndarray, bands: np.ndarray, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
    """The response (2, n) float32 with other levels; itself, bit for bit, if they are the same.

    bands          (2, 7, frames * 160) of it
    before, after  (14, frames), of `as_flow` with the energy of this response
    """
    change = (after - before).astype(np.float64) * UNIT_DB
    if not change.any():
        return response.copy()
    change = change.reshape(2, N_BANDS, -1)
    gain = 10 ** (np.minimum(change, MOST_GAIN_DB) / 20)
    added = bands * _through_frames(gain - 1)
    if (change > MOST_GAIN_DB).any():
        level = after.reshape(change.shape).astype(np.float64) * UNIT_DB + CENTRE_DB
        lacks = energy(response) * 10 ** (level / 10) - gain**2 * band_energies(bands)
        lacks = np.where(change > MOST_GAIN_DB, np.maximum(lacks, 0), 0)
        n, start = bands.shape[-1], 97 * int(np.abs(response).sum(axis=0).argmax())
        carrier = _carrier(n)[..., start % n :][..., :n]
        added += carrier * _through_frames(np.sqrt(lacks / FRAME))
    return (response + added.sum(axis=1)[:, : response.shape[-1]]).astype(np.float32)


def _through_frames(values: np.ndarray) -> np.ndarray:
    """(..., frames) at the middle of frames to (..., frames * 160) by straight lines."""
    values = values.astype(np.float32)
    padded = np.concatenate([values[..., :1], values, values[..., -1:]], axis=-1)
    share = (np.arange(FRAME, dtype=np.float32) + np.float32(0.5)) / FRAME
    lines = padded[..., :-1, None] * (1 - share) + padded[..., 1:, None] * share
    flat = lines.reshape(*values.shape[:-1], -1)  # begins half a frame before the first sample
    return flat[..., FRAME // 2 : flat.shape[-1] - FRAME // 2]


@lru_cache(maxsize=8)
def _filters(size: int) -> np.ndarray:
    """(7, size // 2 + 1) gains of octave bands, adding up to one."""
    return (octave_power_filters(size) ** 2).astype(np.float32)


@lru_cache(maxsize=8)
def _carrier(n: int) -> np.ndarray:
    """(2, 7, 2 n) noise of power 1 in each band; places take it from different samples on."""
    white = np.random.default_rng(11).standard_normal((2, 2 * n), np.float32)
    bands = irfft(rfft(white)[:, None] * _filters(2 * n), 2 * n)
    power = np.mean(np.square(bands, dtype=np.float64), axis=-1, keepdims=True)
    return (bands / np.sqrt(power)).astype(np.float32)


def _fft_size(n: int) -> int:
    return next_fast_len(n_frames(n) * FRAME + RINGING, real=True)
