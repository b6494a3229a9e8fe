"""Fills in the pairs between the measured ones: direct sound from geometry, decay from neighbours.

A response is a direct sound plus noise with an envelope (see `envelope`). The direct
sound follows from the geometry of the pair, provided the two places see each other;
measured pairs nearby tell how likely that is. The envelope starts from the mean of the
train split at that distance, for pairs that see each other and for pairs that do not; to
either is added how much louder measured pairs of that sort were, the nearer the more.
"""

from collections.abc import Sequence

import numpy as np

from av_envs.acoustics.response import MIN_LENGTH
from av_envs.conventions import N_BANDS
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.envelope import (
    N_TIMES,
    SEEN,
    Decomposition,
    compose,
    decompose,
)
from av_envs.rir_measure.predictors.geometry import azimuths, both_ends, distances
from av_envs.rir_measure.predictors.mean import mean_table
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext

# tuned on flats of the train split, for the STFT distance
NEIGHBOURHOOD = 1.2  # m between pairs over which what was measured fades
DOUBT = 1.0  # weight of the mean of the train split, in measured pairs at distance zero
SEEN_NEAR, SEEN_SLOPE, SEEN_VOTE = 2.1, 0.6, 0.8  # log odds of sight: at 0 m, per m, per vote
SEEN_DOUBT = 0.05  # votes for either side that nobody cast


class Interpolating:
    """Predicts the envelopes of measured pairs nearby, moved to the geometry of each pair.

    hrtf  the robots' head: "kemar" or the path of a SOFA file
    """

    def __init__(self, hrtf: str = "kemar"):
        self._hrtf = hrtf
        self._table = mean_table()

    def reset(self, context: PredictionContext) -> None:
        self._n_samples = context.n_samples
        self._places = np.zeros((0, 6), np.float32)  # emitter and receiver of measured pairs
        self._seen = np.zeros(0, bool)
        self._louder = np.zeros((0, N_TIMES * N_BANDS), np.float32)  # than the train split

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        parts = decompose(pairs, rirs, self._hrtf)
        seen = parts.direct > SEEN
        expected = np.where(seen[:, None, None], *self._expected(pairs))
        louder = parts.envelope.mean(axis=1) - expected  # turning the head does not change it
        self._places = np.concatenate([self._places, both_ends(pairs)[0]])
        self._seen = np.concatenate([self._seen, seen])
        self._louder = np.concatenate([self._louder, louder.reshape(len(louder), -1)])

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        near = np.exp(-self._squared_distances(pairs) / (2 * NEIGHBOURHOOD**2))
        near_seen, near_hidden = near * self._seen, near * ~self._seen  # (P, M)
        sight = self._chance_of_sight(pairs, near_seen.sum(axis=1), near_hidden.sum(axis=1))
        seen, hidden = self._expected(pairs)
        seen += self._averaged(near_seen)
        hidden += self._averaged(near_hidden)
        envelope = hidden + sight[:, None, None] * (seen - hidden)
        tilt = np.sin(azimuths(pairs))[:, None, None] * self._table.lateral / 2
        ears = np.stack([envelope + tilt, envelope - tilt], axis=1)
        return compose(pairs, Decomposition(sight, ears), self._n_samples, self._hrtf)

    def _squared_distances(self, pairs: Pairs) -> np.ndarray:
        """(P, M) squared metres to the measured pairs, or to their reciprocals if those are nearer.

        Both ends count alike. Exchanging emitter and receiver changes no decay.
        """
        ways = both_ends(pairs)
        gaps = [np.square(way[:, None] - self._places).sum(axis=2) for way in ways]
        return np.minimum(*gaps)

    def _chance_of_sight(self, pairs: Pairs, for_it: np.ndarray, against: np.ndarray) -> np.ndarray:
        """(P,) float32 probability that nothing stands between emitter and receiver."""
        vote = np.log((SEEN_DOUBT + for_it) / (SEEN_DOUBT + against))
        odds = SEEN_NEAR - SEEN_SLOPE * distances(pairs) + SEEN_VOTE * vote
        return (1 / (1 + np.exp(-odds))).astype(np.float32)

    def _averaged(self, weights: np.ndarray) -> np.ndarray:
        """(P, N_TIMES, 7) how much louder measured pairs are, by weights (P, M)."""
        shares = weights / (weights.sum(axis=1, keepdims=True) + DOUBT)
        return (shares @ self._louder).reshape(-1, N_TIMES, N_BANDS)

    def _expected(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """(P, N_TIMES, 7) mean envelopes at these distances, of seen and of hidden pairs."""
        log_distance = np.log(np.maximum(distances(pairs), MIN_LENGTH))
        basis = np.stack([np.ones_like(log_distance), log_distance], axis=1)
        return np.tensordot(basis, self._table.seen, 1), np.tensordot(basis, self._table.hidden, 1)
