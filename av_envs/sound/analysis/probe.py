"""Linear probe: accuracy of a linear classifier of sound classes.

Its features are mean and deviation of the level in 32 mel bands; it is fitted by ridge
regression. It says whether a corpus is fair (well above chance on
clips it has not heard) and hard enough (far from perfect after one second).
"""

from collections.abc import Sequence

import numpy as np

from av_envs.sound.analysis.measures import MEL_HOP, mel_levels
from av_envs.sound.clips import SAMPLE_RATE

RIDGE = 0.01  # penalty per fitted excerpt, for features of deviation 1


def excerpt_features(clip: np.ndarray, seconds: int) -> np.ndarray:
    """(excerpts, 64) mean and deviation of the mel levels, dB, of a clip cut into excerpts."""
    levels = mel_levels(clip)
    n_frames = seconds * SAMPLE_RATE // MEL_HOP - 1
    n_excerpts = len(levels) // n_frames
    if n_excerpts == 0:
        raise ValueError(f"a clip of {len(clip)} samples holds no excerpt of {seconds} s")
    parts = levels[: n_excerpts * n_frames].reshape(n_excerpts, n_frames, -1)
    return np.concatenate([parts.mean(axis=1), parts.std(axis=1)], axis=1)


def probe_accuracy(known: Sequence[np.ndarray], unseen: Sequence[np.ndarray]) -> float:
    """Share of the unseen excerpts whose class a probe fitted to the known ones names.

    known, unseen  one (excerpts, features) array per class, in the same order
    """
    mean, scale = np.mean(np.concatenate(known), axis=0), np.std(np.concatenate(known), axis=0)
    weights = _fit([_scaled(features, mean, scale) for features in known])
    right = [
        (_scaled(features, mean, scale) @ weights).argmax(axis=1) == label
        for label, features in enumerate(unseen)
    ]
    return float(np.concatenate(right).mean())


def _scaled(features: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(excerpts, features + 1); the last column is 1, for the offset."""
    return np.pad((features - mean) / (scale + 1e-6), ((0, 0), (0, 1)), constant_values=1.0)


def _fit(known: list[np.ndarray]) -> np.ndarray:
    """(features + 1, classes) ridge regression of the classes as 0 and 1."""
    inputs = np.concatenate(known)
    labels = np.repeat(np.arange(len(known)), [len(features) for features in known])
    penalty = RIDGE * len(inputs) * np.eye(inputs.shape[1])
    return np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ np.eye(len(known))[labels])
