"""How far a mean over episodes can be trusted."""

import numpy as np

DRAWS = 2000  # of the bootstrap

Interval = tuple[float, float, float]  # mean, low, high


def mean_interval(values: np.ndarray, draws: int = DRAWS) -> Interval:
    """Mean of values (n,) and the ends of its 95 % bootstrap interval; the same every time."""
    rows = np.random.default_rng(0).integers(len(values), size=(draws, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), [0.025, 0.975])
    return float(values.mean()), float(low), float(high)
