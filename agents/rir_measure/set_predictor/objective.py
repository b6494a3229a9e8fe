"""The loss: the STFT distance of a compact response to the truth, without rendering it.

The distance is taken over frames and octaves instead of frequencies. In each of these cells a
true magnitude is described by the mean and the spread of its logarithm, its mean, and its mean
square. What is predicted is noise of one level in a cell, with the small spread that flat noise
has, so both halves of `av_envs.rir_measure.metrics.stft_distance` have a closed form. It is too
large where direct sound is right, whose colour within an octave the cells do not hold.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal import get_window
from torch import Tensor

from av_envs.acoustics.binaural import octave_power_filters
from av_envs.agents.rir_measure.set_predictor.network import Compact
from av_envs.conventions import N_BANDS
from av_envs.rir_measure.metrics.stft_distance import (
    HOP,
    N_FFT,
    N_FRAMES,
    POWER_FLOOR,
    WINDOW_LENGTH,
    spectra,
)
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.envelope import BLOCK, CENTRES, LEVEL, N_BLOCKS, free_field

POWER = float(np.square(get_window("hann", WINDOW_LENGTH)).sum())  # of a bin of unit white noise
FLAT = 0.35  # spread of the log magnitude of flat noise
STEPS = 4  # of a block, between the times at which the envelope is tabulated
MOST = 50.0  # of the relative error: a pair of nearly no energy must not outweigh all others


class Truth(NamedTuple):
    """P true responses by ear, frame and band; float16.

    mean, spread    (P, 2, N_FRAMES, 7) of the natural log of magnitudes
    level, power    (P, 2, N_FRAMES, 7) mean magnitude, and root of the mean square
    pulse           (P, 2, N_FRAMES, 7) the same root for the direct sound of a free field
    """

    mean: np.ndarray
    spread: np.ndarray
    level: np.ndarray
    power: np.ndarray
    pulse: np.ndarray


def describe_truth(pairs: Pairs, rirs: np.ndarray, hrtf: str = "kemar") -> Truth:
    """What the loss must know of responses (P, 2, 16000)."""
    pulses = np.zeros_like(rirs)
    for rir, start, pulse in zip(pulses, *free_field(pairs, hrtf), strict=True):
        target = rir[:, max(0, start) :][:, : pulse.shape[1] + min(0, start)]
        target += pulse[:, max(0, -start) :][:, : target.shape[1]]
    magnitude = spectra(rirs).magnitude
    logs = np.log(magnitude)
    mean = _by_band(logs)
    spread = np.sqrt(np.maximum(_by_band(logs**2) - mean**2, 0))
    root = np.sqrt(_by_band(magnitude**2))
    pulse = np.sqrt(np.maximum(_by_band(spectra(pulses).magnitude ** 2) - POWER_FLOOR, 0))
    told = mean, spread, _by_band(magnitude), root, pulse
    return Truth(*(array.astype(np.float16) for array in told))


@cache
def _bands() -> np.ndarray:
    """(513, 7) float32, 1 where a frequency counts to a band."""
    nearest = octave_power_filters(N_FFT).argmax(axis=0)
    return np.eye(N_BANDS, dtype=np.float32)[nearest]


def _by_band(values: np.ndarray) -> np.ndarray:
    """(P, 2, 513, N_FRAMES) to means (P, 2, N_FRAMES, 7)."""
    bands = _bands()
    return np.einsum("pefk,fb->pekb", values, bands / bands.sum(axis=0))


@cache
def _tables() -> tuple[Tensor, Tensor]:
    """Weights (T, N_TIMES) of time bins at fractions of blocks, and shares (S,) of a window.

    The share of a window's power that lies after an arrival, by samples from its first one.
    """
    blocks = np.arange(0, N_BLOCKS * STEPS + 1) / STEPS
    weights = np.stack([np.interp(blocks, CENTRES, one) for one in np.eye(len(CENTRES))], axis=1)
    window = np.square(get_window("hann", WINDOW_LENGTH))
    after = 1 - np.concatenate([[0.0], np.cumsum(window)]) / POWER
    return torch.from_numpy(weights).float(), torch.from_numpy(after).float()


def distance(compact: Compact, truth: Truth, arrival: Tensor) -> Tensor:
    """(P,) STFT distances to the truth, as tensors, of responses that arrive at these samples."""
    weights, after = _tables()
    since = torch.arange(N_FRAMES) * HOP - arrival[:, None]  # (P, K) from arrival to the middle
    # the window sees little but what comes after the arrival
    middle = torch.where(
        since < WINDOW_LENGTH // 4, (since + WINDOW_LENGTH // 2).clamp(min=0) / 3, since
    )
    place = (STEPS * (middle / BLOCK - 0.5)).round().long().clamp(0, len(weights) - 1)
    share = after[(WINDOW_LENGTH // 2 - since).clamp(0, WINDOW_LENGTH)]
    log_power = torch.einsum("pkt,petb->pekb", weights[place], compact.envelope)
    noise = log_power.clamp(max=10).exp() * (LEVEL**2 * POWER) * share[:, None, :, None]
    direct = (compact.direct[:, None, None, None] * truth.pulse).square()
    power = noise + direct + POWER_FLOOR
    count = torch.from_numpy(_bands().sum(axis=0))
    level = power.sqrt()
    overlap = power - 2 * level * truth.level + truth.power.square()
    relative = (overlap.clamp(min=0) * count).sum(dim=(2, 3))
    relative = relative / (truth.power.square() * count).sum(dim=(2, 3))
    theta = (relative + 1e-6).sqrt().clamp(max=MOST)
    audible = (noise + direct) / power  # at the floor nothing is left of the spread
    spread = (truth.spread.square() + (FLAT * audible).square() + 1e-4).sqrt()
    gap = level.log() - truth.mean
    away = gap * torch.erf(gap / (spread * 2**0.5))
    away = away + spread * (2 / np.pi) ** 0.5 * torch.exp(-(gap.square()) / (2 * spread.square()))
    xi = (away * count).sum(dim=(2, 3)) / (count.sum() * N_FRAMES)
    return (theta + xi).mean(dim=1) / 2
