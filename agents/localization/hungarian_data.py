"""Synthetic distances between directions, with their exact association: what Hnet learns from.

As in the code of Adavanne et al., WASPAA 2021: references and predictions are points of grids of
nine resolutions; those that are absent lie far outside the unit sphere.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.localization.assignment import assign
from av_envs.agents.localization.hungarian import PAD

RESOLUTIONS = (1, 2, 3, 4, 5, 10, 15, 20, 30)  # degrees
OF_EACH = 15_000  # samples per resolution and number of associations
FAR = 100.0  # absent points lie in a cube of twice that side


class Matrices(NamedTuple):
    """B samples.

    distance     (B, N, N) float32, Euclidean; rows are references, columns predictions, or
                 either of them shuffled
    association  (B, N, N) float32, 1 where a reference and a prediction belong together
    """

    distance: Tensor
    association: Tensor


def draw_matrices(rng: np.random.Generator, tracks: int = 2, share: float = 1.0) -> Matrices:
    """Samples of all resolutions and numbers of references and predictions, in that order.

    tracks  N
    share   of the 405,000 samples that the paper trains on (for N = 2)

    Each number of associations, 0 to N, has equally many samples.
    """
    parts = [
        _of_one_kind(rng, resolution, n_references, n_predictions, tracks, share)
        for resolution in RESOLUTIONS
        for n_references in range(tracks + 1)
        for n_predictions in range(tracks + 1)
    ]
    return Matrices(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _of_one_kind(
    rng: np.random.Generator,
    resolution: int,
    n_rows: int,
    n_columns: int,
    tracks: int,
    share: float,
) -> Matrices:
    kinds = 2 * (tracks - min(n_rows, n_columns)) + 1  # with so many associations
    size = round(OF_EACH / kinds * share)
    rows = _points(rng, size, resolution, n_rows, tracks)
    columns = _points(rng, size, resolution, n_columns, tracks)
    distance = torch.from_numpy(np.linalg.norm(rows[:, :, None] - columns[:, None], axis=-1))
    exists = [torch.arange(tracks) < n for n in (n_rows, n_columns)]
    association = assign(distance, *(e.expand(size, -1) for e in exists))
    order = rng.permuted(np.tile(np.arange(tracks), (size, 1)), axis=1)
    by_row = (rng.random(size) < 0.5)[:, None, None]
    shuffled = (_shuffled(each.numpy(), order, by_row) for each in (distance, association))
    return Matrices(*(torch.from_numpy(each).float() for each in shuffled))


def _shuffled(matrices: np.ndarray, order: np.ndarray, by_row: np.ndarray) -> np.ndarray:
    rows = np.take_along_axis(matrices, order[:, :, None], axis=1)
    return np.where(by_row, rows, np.take_along_axis(matrices, order[:, None, :], axis=2))


def _points(
    rng: np.random.Generator, size: int, resolution: int, present: int, tracks: int
) -> np.ndarray:
    """(size, tracks, 3): so many unit vectors on the grid, then points that are absent."""
    azimuth = _without_replacement(rng, np.arange(-180, 181, resolution), size, present)
    elevation = _without_replacement(rng, np.arange(-90, 91, resolution), size, present)
    around = np.cos(elevation)
    units = np.stack([around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)], -1)
    far = rng.uniform(-FAR, FAR, (size, tracks - present, 3))
    far[np.abs(far) <= 1] = PAD
    far[rng.random(size) < 0.5] = PAD
    return np.concatenate([units, far], axis=1)


def _without_replacement(
    rng: np.random.Generator, degrees: np.ndarray, size: int, n: int
) -> np.ndarray:
    """(size, n) radians, no value twice in a row."""
    order = rng.random((size, len(degrees))).argsort(axis=1)[:, :n]
    return np.radians(degrees[order])


def weighted_f1(predicted: np.ndarray, truth: np.ndarray, frequency: np.ndarray) -> float:
    """F1 of "belongs" and of "does not", averaged by how often each is true.

    predicted, truth  (B, N, N) bool
    frequency         (N, N) weight of every cell: how often it is true in training

    What scikit-learn calls average="weighted" with sample weights, as in the reference.
    """
    weight = np.broadcast_to(frequency, truth.shape)
    scores, supports = [], []
    for label in (False, True):
        hit = weight[(predicted == label) & (truth == label)].sum()
        either = weight[predicted == label].sum() + weight[truth == label].sum()
        scores.append(2 * hit / either if either else 1.0)
        supports.append(weight[truth == label].sum())
    return float(np.average(scores, weights=supports))
