"""Metrics of exploration and prediction over an episode. Pure functions.

Definitions of Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023.
CR is the coverage ratio, PE the prediction error: the STFT distance, mean over the pairs of a
step and the steps of an episode.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

WCR_LAMBDA = 0.1  # of the paper


def coverage_ratio(visited: np.ndarray) -> float:
    """Share of the nodes that any robot has visited; visited (N,) bool."""
    return np.count_nonzero(visited) / len(visited)


def pes(pe: ArrayLike) -> Any:
    """Prediction error on a scale from 0 to 1: 2 / (1 + exp(-PE)) - 1, which is tanh(PE / 2)."""
    return np.tanh(np.divide(pe, 2))


def wcr(cr: np.ndarray | float, pe: ArrayLike, lam: float = WCR_LAMBDA) -> Any:
    """Weighted sum of coverage and accuracy, (1 - lambda) CR + lambda (1 - PES).

    Errors in the published range leave the accuracy less than 0.011 of it at the lambda of the
    paper, so CR and PE belong beside it.
    """
    return (1 - lam) * cr + lam * (1 - pes(pe))


def wcr_of_means(cr: np.ndarray, pe: np.ndarray, lam: float = WCR_LAMBDA) -> float:
    """WCR of the mean CR and the mean PE over episodes, as in the tables of the paper.

    cr, pe  (E,) one value per episode
    """
    return float(wcr(np.mean(cr), np.mean(pe), lam))
