"""Fills in the pairs between the measured ones: direct sound from geometry, decay from neighbours.

A response is a direct sound plus noise with an envelope (see `envelope`). The direct
sound follows from the geometry of the pair, provided the two places see each other. Whether
they do is guessed from what was measured (see `sight`) or, as an option, from what depth
images show (see `seen_space`); then measured pairs behind walls say less, too. The envelope
starts from the mean of the train split at that distance, for pairs that see each other and
for pairs that do not; to either is added how much louder measured pairs of that sort were,
the nearer the more. Hidden pairs about which little is known are predicted quieter than their
mean (see `LEAN`).
Exactly the same pair as before, head included, sounds exactly as it did.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from av_envs.acoustics.response import MIN_LENGTH
from av_envs.conventions import N_BANDS
from av_envs.options import check_choice
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.envelope import (
    N_TIMES,
    SEEN,
    Decomposition,
    compose,
    decompose,
    noise_energy,
)
from av_envs.rir_measure.predictors.geometry import azimuths, both_ends, distances
from av_envs.rir_measure.predictors.mean import mean_table
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext
from av_envs.rir_measure.predictors.seen_space import SeenSpace
from av_envs.rir_measure.predictors.sight import NEARBY, SightMap

# tuned on flats and houses of the train split, for the STFT distance
NEIGHBOURHOOD = 1.2  # m between pairs over which what was measured fades
FAR, FAR_SHARE = 4.0, 0.03  # m, weight: pairs farther away tell how well walls keep sound out here
DOUBT = 1.0  # weight of the mean of the train split, in measured pairs at distance zero
# Too loud costs more and more, too quiet at most the distance of silence. So where a level is
# unsure, a lower one is better: by this many nepers of energy per squared log of the distance
# in metres, as farther pairs have more or fewer walls between them.
LEAN = 0.5
# STFT distance is relative to the truth, so a direct sound where there is none costs more
# than none where there is one, the more so the quieter the pair is without: log odds of sight
# must exceed a least number, and a number per neper of difference
CAUTION, DECISIVENESS = 1.0, 2.0
CAUTION_PER_NEPER = 0.7
BEHIND = 6.0  # m2, added to the squared distance for each end behind a wall, with depth images

SIGHTS = ("measured", "depth")


class Interpolating:
    """Predicts the envelopes of measured pairs nearby, moved to the geometry of each pair.

    hrtf   the robots' head: "kemar" or the path of a SOFA file
    sight  what tells who sees whom: "measured" responses, or "depth" images, for which robots
           must observe them, and their positions in the frame of the scene
    """

    def __init__(self, hrtf: str = "kemar", sight: str = "measured"):
        check_choice("sight", sight, SIGHTS)
        self._hrtf, self._looks = hrtf, sight == "depth"

    def reset(self, context: PredictionContext) -> None:
        self._n_samples = context.n_samples
        self._places = np.zeros((0, 6), np.float32)  # emitter and receiver of measured pairs
        self._seen = np.zeros(0, bool)
        self._recorded: dict[bytes, np.ndarray] = {}
        self._map, self._space = SightMap(), SeenSpace()
        self._louder = np.zeros((0, N_TIMES * N_BANDS), np.float32)  # than the train split

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        if self._looks:
            self._space.check_frame(pairs)
        new = np.array([key not in self._recorded for key in _keys(pairs)], bool)
        pairs, rirs = Pairs(*(ends[new] for ends in pairs)), rirs[new]
        self._recorded |= {key: rir.copy() for key, rir in zip(_keys(pairs), rirs, strict=True)}
        parts = decompose(pairs, rirs, self._hrtf)
        seen = parts.direct > SEEN
        expected = np.where(seen[:, None, None], *self._expected(pairs))
        louder = parts.envelope.mean(axis=1) - expected  # turning the head does not change it
        self._map.observe(pairs, seen)
        self._places = np.concatenate([self._places, both_ends(pairs)[0]])
        self._seen = np.concatenate([self._seen, seen])
        self._louder = np.concatenate([self._louder, louder.reshape(-1, N_TIMES * N_BANDS)])

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        if self._looks:
            self._space.look_around(history)
        rirs = self._filled_in(pairs)
        for rir, key in zip(rirs, _keys(pairs), strict=True):
            if key in self._recorded:
                rir[:] = self._recorded[key]
        return rirs

    def _filled_in(self, pairs: Pairs) -> np.ndarray:
        """What pairs should sound like that were never measured."""
        gaps = self._squared_distances(pairs)
        near = np.exp(-gaps / (2 * NEIGHBOURHOOD**2))  # (P, M)
        near += FAR_SHARE * np.exp(-gaps / (2 * FAR**2))
        seen, hidden = self._expected(pairs)
        seen += self._louder_by(_shares(near * self._seen))
        shares = _shares(near * ~self._seen)
        unsure = (1 - shares.sum(axis=1)) * np.log(np.maximum(distances(pairs), 1)) ** 2
        hidden += self._louder_by(shares) - LEAN * unsure[:, None, None]
        sight = self._sight(pairs, gaps, _excess(pairs, seen, hidden))
        envelope = hidden + sight[:, None, None] * (seen - hidden)
        tilt = np.sin(azimuths(pairs))[:, None, None] * mean_table().lateral / 2
        ears = np.stack([envelope + tilt, envelope - tilt], axis=1)
        return compose(pairs, Decomposition(sight, ears), self._n_samples, self._hrtf)

    def _squared_distances(self, pairs: Pairs) -> np.ndarray:
        """(P, M) squared metres to the measured pairs, or to their reciprocals if those are nearer.

        Both ends count alike. Exchanging emitter and receiver changes no decay.
        """
        ways = both_ends(pairs)
        gaps = [np.square(way[:, None] - self._places).sum(axis=2) for way in ways]
        if self._looks:
            ends = self._places.reshape(-1, 2, 3)
            hidden = [self._space.hides(way.reshape(-1, 2, 3), ends).sum(axis=2) for way in ways]
            gaps = [gap + BEHIND * behind for gap, behind in zip(gaps, hidden, strict=True)]
        return np.minimum(*gaps)

    def _sight(self, pairs: Pairs, gaps: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """(P,) float32, 1 where emitter and receiver surely see each other, 0 where they do not.

        excess  (P,) nepers by which they would be louder if they did
        """
        if self._looks:
            log_odds = self._space.log_odds(pairs)
        else:
            hidden = np.exp(-gaps / (2 * NEARBY**2)) @ ~self._seen
            log_odds = self._map.log_odds(pairs, hidden)
        odds = DECISIVENESS * (log_odds - np.maximum(CAUTION, CAUTION_PER_NEPER * excess))
        return expit(odds).astype(np.float32)

    def _louder_by(self, shares: np.ndarray) -> np.ndarray:
        """(P, N_TIMES, 7) how much louder than the mean the dwelling is, by shares (P, M)."""
        return (shares @ self._louder).reshape(-1, N_TIMES, N_BANDS)

    def _expected(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """(P, N_TIMES, 7) mean envelopes at these distances, of seen and of hidden pairs."""
        log_distance = np.log(np.maximum(distances(pairs), MIN_LENGTH))
        basis = np.stack([np.ones_like(log_distance), log_distance], axis=1)
        table = mean_table()
        return np.tensordot(basis, table.seen, 1), np.tensordot(basis, table.hidden, 1)


def _excess(pairs: Pairs, seen: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(P,) nepers by which pairs would be louder if they saw each other."""
    direct = np.square(1 / np.maximum(distances(pairs), MIN_LENGTH))
    return np.log((direct + noise_energy(seen)) / noise_energy(hidden)) / 2


def _shares(weights: np.ndarray) -> np.ndarray:
    """(P, M) of each measured pair in a prediction, from weights; the mean has the rest."""
    return weights / (weights.sum(axis=1, keepdims=True) + DOUBT)


def _keys(pairs: Pairs) -> list[bytes]:
    """What tells one pair from another, the heading of the receiver included."""
    rows = np.column_stack([pairs.emitter, pairs.receiver, pairs.heading]).astype(np.float32)
    return [row.tobytes() for row in rows]


def by_depth() -> Interpolating:
    """The predictor named "interpolating_depth", which looks at depth images."""
    return Interpolating(sight="depth")
