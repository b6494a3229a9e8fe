"""Retrieval: the stored response of the situation that looks most alike.

The nearest-neighbour baseline of Yu et al., "Measuring Acoustics with Collaborative
Multiple Agents", IJCAI 2023: features of a pair are compared with those of a table of
training pairs, and the response of the best match is the prediction. The paper takes its
trained network's features and the Kullback-Leibler divergence; any features will do here.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from av_envs.paths import user_path
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.geometry import azimuths, distances
from av_envs.rir_measure.predictors.mean import fitted
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext

Features = Callable[[Pairs, Sequence[JointObservation]], np.ndarray]  # to (P, D)

SIMILARITIES = ("kl_softmax", "cosine", "l2")
CHUNK = 8192  # records compared at once
TINY = 1e-12  # probability that keeps the logarithm finite
DEPTH_CELLS = 4  # coarse depth is so many cells high and wide


def joint_features(pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
    """(P, D) float32: both ends, distance, direction, and what the robots see, coarsely.

    A depth image counts as 4 x 4 means of metres/10; without images, geometry alone does.
    """
    distance, azimuth = distances(pairs), azimuths(pairs)
    geometry = [*(pairs.emitter.T / 10), *(pairs.receiver.T / 10), distance / 10]
    geometry = np.stack([*geometry, np.cos(azimuth), np.sin(azimuth)], axis=1)
    newest = history[-1] if history else {}
    seen = [
        _coarse(observation["depth"]) for observation in newest.values() if "depth" in observation
    ]
    shared = np.concatenate([*seen, np.zeros(0)])
    shared = np.broadcast_to(shared, (len(geometry), len(shared)))
    return np.concatenate([geometry, shared], axis=1).astype(np.float32)


def _coarse(depth: np.ndarray) -> np.ndarray:
    """(16,) means over a (H, W, 1) depth image."""
    rows = np.array_split(depth[..., 0], DEPTH_CELLS)
    return np.array([cell.mean() for row in rows for cell in np.array_split(row, DEPTH_CELLS, 1)])


def record_table(
    measurements: Iterable[tuple[Pairs, np.ndarray, Sequence[JointObservation]]],
    features: Features = joint_features,
) -> tuple[np.ndarray, np.ndarray]:
    """Features (M, D) and responses (M, 2, n) of all pairs measured in a loop.

    measurements  per step the pairs, their responses (P, 2, n) and the history
    """
    rows = [(features(pairs, history), rirs.copy()) for pairs, rirs, history in measurements]
    if not rows:
        raise ValueError("a table needs at least one measurement")
    described, rirs = zip(*rows, strict=True)
    return np.concatenate(described), np.concatenate(rirs)


class NearestNeighbor:
    """Predicts the stored response whose features are most similar.

    records     (M, D) features
    rirs        (M, 2, n) responses of the same pairs
    features    describes the pairs to predict as `records` were described
    similarity  "kl_softmax": minus the divergence of the record's softmax from that of the
                pair; "cosine"; "l2": minus the Euclidean distance
    """

    def __init__(
        self,
        records: np.ndarray,
        rirs: np.ndarray,
        features: Features = joint_features,
        similarity: str = "kl_softmax",
    ):
        if similarity not in SIMILARITIES:
            raise ValueError(
                f"similarity {similarity!r} does not exist; choose from {', '.join(SIMILARITIES)}"
            )
        if len(records) != len(rirs) or len(records) == 0:
            raise ValueError(f"{len(records)} features for {len(rirs)} responses")
        if records.ndim != 2 or rirs.ndim != 3 or rirs.shape[1] != 2:
            raise ValueError(
                f"features {records.shape} and responses {rirs.shape} should be (M, D), (M, 2, n)"
            )
        self._rirs, self._features, self._similarity = rirs, features, similarity
        self._keys, self._bias = _keys(np.asarray(records, np.float64), similarity)

    @classmethod
    def from_file(cls, path: str | Path, **options) -> "NearestNeighbor":
        """From an npz file with the arrays `features` and `rirs`; options as of the class."""
        with np.load(user_path(path), allow_pickle=False) as table:
            missing = {"features", "rirs"} - set(table.files)
            if missing:
                raise ValueError(f"{path} lacks the array {' and '.join(sorted(missing))}")
            return cls(table["features"], table["rirs"], **options)

    def reset(self, context: PredictionContext) -> None:
        self._n_samples = context.n_samples

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        rirs = self._rirs[self.retrieve(self._features(pairs, history))]
        return fitted(rirs.astype(np.float32), self._n_samples)

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        pass

    def retrieve(self, described: np.ndarray) -> np.ndarray:
        """(P,) rows of the records most similar to features (P, D)."""
        if described.shape[1] != self._keys.shape[1]:
            raise ValueError(
                f"pairs have {described.shape[1]} features, the records {self._keys.shape[1]}"
            )
        query = np.asarray(described, np.float64)
        query = softmax(query, axis=1) if self._similarity == "kl_softmax" else query
        best, row = np.full(len(query), -np.inf), np.zeros(len(query), int)
        for start in range(0, len(self._keys), CHUNK):
            part = slice(start, start + CHUNK)
            score = query @ self._keys[part].T + self._bias[part]
            better = score.max(axis=1) > best
            row[better] = start + score.argmax(axis=1)[better]
            best = np.maximum(best, score.max(axis=1))
        return row


def _keys(records: np.ndarray, similarity: str) -> tuple[np.ndarray, np.ndarray]:
    """Keys (M, D) and bias (M,): query @ key + bias ranks records by similarity to a query.

    What depends on the query alone is left out, as it changes no ranking.
    """
    if similarity == "kl_softmax":  # -KL(p || q) = sum p ln q - sum p ln p
        return np.log(np.maximum(softmax(records, axis=1), TINY)), np.zeros(len(records))
    if similarity == "cosine":
        length = np.linalg.norm(records, axis=1, keepdims=True)
        return records / np.maximum(length, TINY), np.zeros(len(records))
    return records, -np.square(records).sum(axis=1) / 2
