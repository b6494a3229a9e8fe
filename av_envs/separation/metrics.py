"""How good an estimate of the target is. Pure functions of arrays.

Magnitudes are (..., 512, 32) spectrograms of one second. The ground truth is the dry
second of the target, undelayed and free of reverberation, with its magnitude scaled to
a root mean square of 1.2, as in the code of Majumder and Grauman, "Active Audio-Visual
Separation of Dynamic Sound Sources", ECCV 2022.
"""

import numpy as np

TARGET_RMS = 1.2  # of the ground-truth magnitude
TARGET_POWER = TARGET_RMS**2
SILENCE = 1e-12  # mean power below which a second counts as silent


def si_sdr(estimates: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Scale-invariant signal-to-distortion ratio, dB; NaN where the target is silent.

    estimates  (..., n)
    target     (n,)

    Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, means removed first.
    An exact estimate is capped by the power floor `SILENCE` instead of being infinite.
    """
    target = target - target.mean()
    energy = float(target @ target)
    if energy <= SILENCE * len(target):
        return np.full(estimates.shape[:-1], np.nan)[()]
    estimates = estimates - estimates.mean(axis=-1, keepdims=True)
    along = estimates @ target
    kept = along**2 / energy
    lost = np.maximum(np.sum(np.square(estimates), axis=-1) - kept, 0)
    floor = SILENCE * len(target)
    return 10 * np.log10((kept + floor) / (lost + floor))


def stft_distance(estimate: np.ndarray, target: np.ndarray) -> float:
    """Mean squared difference of real and imaginary parts when both share the target's phase.

    estimate, target  (512, 32) magnitudes; half the mean squared difference of them, so a
    silent estimate of a ground truth with RMS 1.2 scores 0.72.
    """
    return 0.5 * float(np.mean(np.square(estimate - target)))


def normalised_error(estimate: np.ndarray, target: np.ndarray) -> float:
    """Mean squared error of a magnitude over the power of the ground truth, 1.44."""
    return float(np.mean(np.square(estimate - target))) / TARGET_POWER
