"""How far a binaural signal is from the true one, and how much of that a refiner makes good.

MAG, ENV and SNR are those of the code of Liang et al., "AV-NeRF", NeurIPS 2023, as RWAVS is
judged; other papers use the same names for other quantities. Signals are (2, n), left ear first.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.signal import get_window, hilbert

from av_envs.acoustics.measures import c50, early_decay_time, t20
from av_envs.agents.intervals import DRAWS, Interval
from av_envs.agents.refinement.levels import band_energies, band_signals

STFT_SIZE, STFT_HOP = 512, 128
SOFTENED = 1e-4  # added to both powers of the SNR
HEARD_DB = 60.0  # below the loudest level of the truth; softer levels are not judged
SILENCE = 1e-30


def spectrum(signal: np.ndarray) -> np.ndarray:
    """(..., n) to (..., 257, 1 + n // 128) complex: Hann windows, the first around sample 0."""
    half = STFT_SIZE // 2
    padded = np.pad(signal, [*[(0, 0)] * (signal.ndim - 1), (half, half)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, STFT_SIZE, axis=-1)
    windowed = frames[..., ::STFT_HOP, :] * get_window("hann", STFT_SIZE)
    return np.moveaxis(np.fft.rfft(windowed), -1, -2)


def magnitude_error(found: np.ndarray, truth: np.ndarray) -> float:
    """MAG: mean squared difference of magnitudes at the left ear, plus that at the right ear."""
    apart = np.abs(spectrum(found)) - np.abs(spectrum(truth))
    return float(np.sum(np.mean(apart**2, axis=(-2, -1))))


def envelope_error(found: np.ndarray, truth: np.ndarray) -> float:
    """ENV: RMS difference of Hilbert envelopes at the left ear, plus that at the right ear."""
    apart = np.abs(hilbert(found)) - np.abs(hilbert(truth))
    return float(np.sum(np.sqrt(np.mean(apart**2, axis=-1))))


def snr_db(found: np.ndarray, truth: np.ndarray) -> float:
    """Power of the truth over that of the error, dB, both softened."""
    power, error = np.mean(np.square(truth)), np.mean(np.square(found - truth))
    return float(10 * np.log10((power + SOFTENED) / (error + SOFTENED)))


def level_error_db(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean difference of the levels by ear, octave band and frame of 10 ms.

    Over the levels of the truth that are at most 60 dB below its loudest; a level below that
    counts as lying there. Raises ValueError for a silent truth.
    """
    if not truth.any():
        raise ValueError("the truth is silent: it has no levels")
    ours, theirs = (
        10 * np.log10(band_energies(band_signals(signal)) + SILENCE) for signal in (found, truth)
    )
    floor = theirs.max() - HEARD_DB
    judged = theirs > floor
    return float(np.abs(np.maximum(ours, floor) - theirs)[judged].mean())


def room_errors(found: np.ndarray, truth: np.ndarray, rate: int) -> dict[str, float]:
    """Errors of room-acoustic measures, mean over ears; NaN or infinity where one has no value.

    t60   % of the truth, from the decay between -5 and -25 dB
    edt   ms
    c50   dB
    ild   dB, of the level difference between the ears
    """
    decays = np.array([t20(found, rate), t20(truth, rate)])
    early = np.array([early_decay_time(found, rate), early_decay_time(truth, rate)])
    clear = np.array([c50(found, rate), c50(truth, rate)])
    sides = np.array([_level_difference(found), _level_difference(truth)])
    with np.errstate(invalid="ignore"):  # responses without a tail are infinitely clear
        unclear = float(np.mean(np.abs(clear[0] - clear[1])))
    return {
        "t60": float(np.mean(100 * np.abs(decays[0] / decays[1] - 1))),
        "edt": float(np.mean(1000 * np.abs(early[0] - early[1]))),
        "c50": unclear,
        "ild": float(abs(sides[0] - sides[1])),
    }


def _level_difference(signal: np.ndarray) -> float:
    left, right = np.sum(np.square(signal, dtype=float), axis=-1) + SILENCE
    return float(10 * np.log10(left / right))


def errors(found: np.ndarray, truth: np.ndarray, rate: int) -> dict[str, float]:
    """All errors of an impulse response: levels, MAG, ENV and `room_errors`.

    MAG and ENV are those of both signals over the RMS of the truth: responses are soft.
    """
    scale = np.sqrt(np.mean(np.square(truth, dtype=float)))
    scaled = found / scale, truth / scale
    row = {"levels": level_error_db(found, truth)}
    row["mag"], row["env"] = magnitude_error(*scaled), envelope_error(*scaled)
    return {**row, **room_errors(found, truth, rate)}


def sound_errors(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """All errors of a sound that was heard: MAG, ENV, SNR (dB) and ILD (dB).

    As in the code of AV-NeRF they are not relative to anything. Decay times and clarity are those
    of impulse responses, which a sound is not.
    """
    return {
        "mag": magnitude_error(found, truth),
        "env": envelope_error(found, truth),
        "snr": snr_db(found, truth),
        "ild": float(abs(_level_difference(found) - _level_difference(truth))),
    }


def gap_closed(
    before: np.ndarray, after: np.ndarray, floor: np.ndarray, groups: np.ndarray
) -> Interval:
    """Share of the gap between a cheap signal and the truth that is closed, and its interval.

    before  (P,) errors of the cheap signals; after: of the refined ones; floor: of another
            rendering of the truth, which is what cannot be foreseen
    groups  (P,) of pairs that belong together, such as houses: the interval (95 %) is a
            bootstrap over them

    1 closes all of it; more than 1 tells of a leak. NaN where there is no gap.
    """
    names, row = np.unique(groups, return_inverse=True)
    closed = np.bincount(row, before - after, len(names))
    gap = np.bincount(row, before - floor, len(names))
    draws = np.random.default_rng(0).integers(len(names), size=(DRAWS, len(names)))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = closed[draws].sum(axis=1) / gap[draws].sum(axis=1)
        share = closed.sum() / gap.sum() if gap.sum() > 0 else np.nan
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(share), float(low), float(high)


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each error over the rows that have it."""
    found = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        known = values[np.isfinite(values)]
        found[name] = float(known.mean()) if len(known) else np.nan
    return found
