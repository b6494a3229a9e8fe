"""Errors of a prediction in room-acoustic measures. Pure functions of responses.

RTE and the ratios follow Yu et al., "Measuring Acoustics with Collaborative Multiple Agents",
IJCAI 2023, the other measures Majumder et al., "Few-Shot Audio-Visual Learning of Environment
Acoustics", NeurIPS 2022. The decay curve is the backward integral of Schroeder, "New method
of measuring reverberation time", JASA 1965.

Every number is finite: ratios and errors in dB are cut at 100 dB, a silent response decays in
no time, and its missing ratios are 100 dB away from those of any response but another silent
one.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.acoustics.measures import ONSET_DB
from av_envs.conventions import SAMPLE_RATE

ROOM_ERRORS = (
    "rte_ms",
    "rte_pct",
    "edt_ms",
    "drr_db",
    "c50_db",
    "lr_db",
    "sisdr",
    "snr",
    "snr01",
)
MAX_DB = 100.0
FLOOR = 10 ** (-MAX_DB / 10)  # smaller shares of an energy are not told from nothing
CONSTANT = 1e-11  # of a signal's energy; one that varies by less is constant but for rounding
DIRECT_SAMPLES = round(0.003 * SAMPLE_RATE)  # after the onset that count as direct sound
EARLY_SAMPLES = round(0.05 * SAMPLE_RATE)
ONSET_GAIN = 10 ** (-ONSET_DB / 20)
HEADROOM_DB, LONGEST_FIT_DB, SHORTEST_FIT_DB = 5, 60, 10
FIT_POINTS = 2048  # of the decay curve through which a line is laid, at most

# contraction and reordering only: that a NaN is no number must stay true
FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
kernel = njit(cache=True, nogil=True, fastmath=FASTMATH)
helper = njit(cache=True, nogil=True, fastmath=FASTMATH, forceinline=True)


class RoomMeasures(NamedTuple):
    """What responses say about their room, (...) float64 each.

    rt60    s to fall by 60 dB, after the first 5 dB; 0 where nothing decays
    edt     s, six times those from the onset until 10 dB are gone
    drr_db  direct sound, up to 3 ms after the onset, over the rest; nan if all is silent
    c50_db  the first 50 ms after the onset over the rest; nan if all is silent
    energy  sum of squares
    """

    rt60: np.ndarray
    edt: np.ndarray
    drr_db: np.ndarray
    c50_db: np.ndarray
    energy: np.ndarray


def room_measures(rirs: np.ndarray) -> RoomMeasures:
    """Measures of responses (..., n) float32.

    The line of RT60 goes from -5 dB down to -65 dB or, where the response ends before, to the
    next of -55, ..., -15 dB. It also sees the steep end of a response that is cut off.
    """
    rirs = np.require(rirs, np.float32, "CW")
    measures = np.empty((rirs.size // rirs.shape[-1], len(RoomMeasures._fields)))
    _measure(rirs.reshape(-1, rirs.shape[-1]), measures)
    if not np.isfinite(measures[:, -1]).all():
        raise ValueError("responses must be finite")
    return RoomMeasures(*measures.T.reshape(-1, *rirs.shape[:-1]))


def signal_ratios(truth: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """How much of the truth (..., n) float32 a prediction holds, dB (...) each.

    sisdr  scale-invariant, means removed: Le Roux et al., "SDR - half-baked or well done?",
           ICASSP 2019; -100 where the prediction or the truth is constant and they differ
    snr    energy of the truth over that of the error, as the paper prints it
    snr01  the same for samples mapped from -1..1 to 0..1, nearest to its published values
    """
    truth, predicted = (np.require(x, np.float32, "CW") for x in (truth, predicted))
    if truth.shape != predicted.shape:
        raise ValueError(f"{predicted.shape} was predicted for responses {truth.shape}")
    n = truth.shape[-1]
    sums = np.empty((truth.size // n, 6))
    _correlate(truth.reshape(-1, n), predicted.reshape(-1, n), sums)
    if not np.isfinite(sums).all():
        raise ValueError("responses must be finite")
    t, p, tt, pp, tp, error = sums.T.reshape(-1, *truth.shape[:-1])
    variance, varied = tt - t * t / n, pp - p * p / n
    along = tp - t * p / n
    vary = (variance > CONSTANT * tt) & (varied > CONSTANT * pp)
    kept = np.divide(along**2, variance, out=np.zeros_like(along), where=vary)
    lost = np.maximum(varied - kept, 0)
    shifted = (tt + 2 * t + n) / 4
    return {
        "sisdr": np.where(kept > 0, ratio_db(kept, lost), np.where(error > 0, -MAX_DB, MAX_DB)),
        "snr": np.where(error > 0, ratio_db(tt, error), MAX_DB),
        "snr01": np.where(error > 0, ratio_db(shifted, error / 4), MAX_DB),
    }


def ratio_db(energy: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Ratio of two energies in dB, within 100 dB; nan where both are zero."""
    whole = energy + other
    with np.errstate(invalid="ignore"):
        ratio = 10 * np.log10((energy / whole + FLOOR) / (other / whole + FLOOR))
    return np.clip(ratio, -MAX_DB, MAX_DB)


def room_errors(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Errors of predicted responses, means over pairs and ears.

    truth, predicted  (P, 2, n) float32
    returns           the keys of ROOM_ERRORS: absolute errors of RT60 in ms and in % of the
                      truth, of EDT in ms, of DRR, C50 and the left-to-right ratio in dB; and
                      the three ratios of `signal_ratios`, of which more is better
    """
    shape = np.shape(truth)
    if len(shape) != 3 or shape[1] != 2 or 0 in shape:
        raise ValueError(f"responses must have the shape (P, 2, n), got {shape}")
    ratios = signal_ratios(truth, predicted)
    true, said = room_measures(truth), room_measures(predicted)
    rte = np.abs(said.rt60 - true.rt60)
    relative = np.divide(rte, true.rt60, out=np.sign(rte), where=true.rt60 > 0)
    errors = {
        "rte_ms": 1000 * rte,
        "rte_pct": 100 * relative,
        "edt_ms": 1000 * np.abs(said.edt - true.edt),
        "drr_db": _db_error(said.drr_db, true.drr_db),
        "c50_db": _db_error(said.c50_db, true.c50_db),
        "lr_db": _db_error(ratio_db(*said.energy.T), ratio_db(*true.energy.T)),
        **ratios,
    }
    return {key: float(errors[key].mean()) for key in ROOM_ERRORS}


def _db_error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    error = np.where(np.isnan(a) == np.isnan(b), 0, MAX_DB)
    return np.fmin(np.fmax(np.abs(a - b), error), MAX_DB)


@kernel
def _measure(rirs, measures):
    """Rows of RoomMeasures (R, 5) from responses (R, n)."""
    n = rirs.shape[1]
    curve = np.empty(n + 1)  # energy from each sample on
    for row in range(len(rirs)):
        rir = rirs[row]
        total, peak = 0.0, np.float32(0)
        curve[n] = 0
        for i in range(n - 1, -1, -1):
            total += np.float64(rir[i]) * rir[i]
            curve[i] = total
        for i in range(n):
            peak = max(peak, abs(rir[i]))
        measures[row, :2] = 0
        measures[row, 2:4] = math.nan
        measures[row, 4] = total
        if not 0 < total < math.inf:
            continue
        used = _first_at_most(curve, n, 0.0)  # the rest is silence
        onset = 0
        while abs(rir[onset]) < ONSET_GAIN * peak:
            onset += 1
        ten_down = _first_at_most(curve, used, 0.1 * total)
        measures[row, 0] = _reverberation_time(curve, used)
        measures[row, 1] = 6 * max(ten_down - onset, 0) / SAMPLE_RATE
        for column, length in ((2, DIRECT_SAMPLES), (3, EARLY_SAMPLES)):
            late = curve[min(onset + length, n)] / total
            measures[row, column] = 10 * math.log10((1 - late + FLOOR) / (late + FLOOR))


@helper
def _first_at_most(curve, n, energy):
    """First of the n samples where a falling curve is at most this energy; n if none is."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if curve[middle] <= energy:
            high = middle
        else:
            low = middle + 1
    return low


@helper
def _reverberation_time(curve, used):
    """Seconds to fall by 60 dB from a line through the curve in dB; 0 if there is none."""
    first = _first_at_most(curve, used, curve[0] * 10 ** (-HEADROOM_DB / 10))
    last, depth = used, LONGEST_FIT_DB
    while last == used and depth >= SHORTEST_FIT_DB:
        last = _first_at_most(curve, used, curve[0] * 10 ** (-(HEADROOM_DB + depth) / 10))
        depth -= 10
    if last in (used, first):
        return 0.0
    n = min(FIT_POINTS, last - first + 1)
    x, y, xx, xy = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        step = i * (last - first) // (n - 1)
        level = 10 * math.log10(curve[first + step] / curve[0])
        x += step
        y += level
        xx += step * step
        xy += step * level
    return -60 * (n * xx - x * x) / (n * xy - x * y) / SAMPLE_RATE


@kernel
def _correlate(truth, predicted, sums):
    """Sums (R, 6) over the samples of truth t and prediction p: t, p, tt, pp, tp, (t - p)^2."""
    for row in range(len(truth)):
        t_sum, p_sum, tt, pp, tp, error = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(truth.shape[1]):
            t, p = np.float64(truth[row, i]), np.float64(predicted[row, i])
            t_sum += t
            p_sum += p
            tt += t * t
            pp += p * p
            tp += t * p
            error += (t - p) * (t - p)
        for column, value in enumerate((t_sum, p_sum, tt, pp, tp, error)):
            sums[row, column] = value
