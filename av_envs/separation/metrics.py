"""How good an estimate of the target is. Pure functions of arrays.

Magnitudes are (..., 512, 32) spectrograms of one second. The ground truth is the dry
second of the target, undelayed and free of reverberation, with its magnitude scaled to
a root mean square of 1.2, as in the code of Majumder and Grauman, "Active Audio-Visual
Separation of Dynamic Sound Sources", ECCV 2022.
"""

import math

import numpy as np
from numba import njit

TARGET_RMS = 1.2  # of the ground-truth magnitude
TARGET_POWER = TARGET_RMS**2
SILENCE = 1e-12  # mean power below which a second counts as silent
FLOOR = 1e-10  # of the estimate's energy; smaller shares of it are not told from nothing
TINY = float(np.finfo(np.float64).tiny)
MAX_DB = 100.0  # a ratio of energies lies within this of zero
LANES = 128  # running sums; sample t is added to that of t modulo 128, and then they to each other
CONSTANT = 1e-12  # of a signal's energy; one that varies by less is constant but for rounding


def si_sdr(estimates: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Scale-invariant signal-to-distortion ratio, dB; NaN where the target is silent.

    estimates  (..., n)
    target     (n,)

    Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, means removed first.
    An exact estimate has 100 dB; a silent or constant one, which holds nothing of the target,
    has -100 dB.
    """
    kept, lost = np.empty(estimates.shape[:-1]), np.empty(estimates.shape[:-1])
    rows = np.ascontiguousarray(estimates).reshape(-1, len(target))
    if not _project(rows, np.ascontiguousarray(target), kept.reshape(-1), lost.reshape(-1)):
        return np.full(kept.shape, np.nan)[()]
    lost += TINY  # of a silent estimate, everything is lost
    whole = kept + lost
    return (10 * np.log10((kept / whole + FLOOR) / (lost / whole + FLOOR)))[()]


# Without fast-math: the order of the sums is fixed, so their bits do not depend on what the
# compiler makes of them. Lanes can be added side by side all the same.
@njit(cache=True, nogil=True)
def _project(estimates, target, kept, lost):
    """Energies along the target and across it, means removed; False if the target is silent.

    Nothing is kept of an estimate that does not vary.
    """
    n = len(target)
    sums, products = np.zeros(LANES), np.zeros(LANES)
    for first in range(0, n, LANES):
        true = target[first : first + LANES]
        for k in range(len(true)):
            sums[k] += true[k]
    target_mean = sums.sum() / n
    for first in range(0, n, LANES):
        true = target[first : first + LANES]
        for k in range(len(true)):
            products[k] += (true[k] - target_mean) ** 2
    energy = products.sum()
    if energy <= SILENCE * n:
        return False
    for row in range(len(estimates)):
        estimate = estimates[row]
        sums[:], products[:] = 0, 0
        for first in range(0, n, LANES):
            true, guess = target[first : first + LANES], estimate[first : first + LANES]
            for k in range(len(true)):
                sums[k] += guess[k]
                products[k] += guess[k] * (true[k] - target_mean)
        mean, scale = sums.sum() / n, products.sum() / energy
        offset = mean - scale * target_mean
        products[:] = 0
        for first in range(0, n, LANES):
            true, guess = target[first : first + LANES], estimate[first : first + LANES]
            for k in range(len(true)):
                products[k] += (guess[k] - scale * true[k] - offset) ** 2
        kept[row], lost[row] = scale * scale * energy, products.sum()
        varying = kept[row] + lost[row]
        if varying <= CONSTANT * (varying + n * mean * mean):
            kept[row] = 0.0
    return True


def target_to_rest_db(target: float, rest: float) -> float:
    """Energy of the target over that of everything else, dB within -100..100.

    100 where nothing else is heard, -100 where the target is silent, whether the rest is or not.
    """
    if target <= 0:
        return -MAX_DB
    if rest <= 0:
        return MAX_DB
    return min(max(10 * math.log10(target / rest), -MAX_DB), MAX_DB)


def squared_error(estimate: np.ndarray, target: np.ndarray) -> float:
    """Mean squared difference of two magnitudes (512, 32)."""
    difference = (estimate - target).ravel(order="K")
    return float(difference @ difference) / difference.size


def stft_distance(error: float) -> float:
    """Mean squared difference of real and imaginary parts when both share the target's phase.

    error  `squared_error` of the magnitudes

    Half the error of the magnitudes, so a silent estimate of a ground truth with RMS 1.2
    scores 0.72. The paper's text calls it a Euclidean norm; its numbers fit this mean.
    """
    return 0.5 * error


def normalised_error(error: float) -> float:
    """`squared_error` of a magnitude over the power of the ground truth, 1.44."""
    return error / TARGET_POWER
