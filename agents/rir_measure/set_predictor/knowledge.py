"""What is known of a dwelling after some measurements, in the numbers that the network reads.

No torch here. Everything is causal: it comes from responses that were measured and from depth
images that were seen before the question.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from av_envs.acoustics.response import MIN_LENGTH
from av_envs.agents.rir_measure.set_predictor.detours import detours
from av_envs.conventions import N_BANDS
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import JointObservation
from av_envs.rir_measure.predictors.envelope import N_TIMES, SEEN, decompose, noise_energy
from av_envs.rir_measure.predictors.geometry import arrivals, azimuths, both_ends, distances
from av_envs.rir_measure.predictors.mean import mean_table
from av_envs.rir_measure.predictors.seen_space import SeenSpace

N_LEVELS = N_TIMES * N_BANDS
QUERY_FEATURES, MEASURED_FEATURES, RELATIONS = 10, 6, 4
EARLY = 8  # time bins, 64 ms
BEHIND = 6.0  # m2 for each end behind a wall, when the better of two ways is chosen


class Question(NamedTuple):
    """P pairs to predict from M measured ones, all float32.

    features  (P, 10) of each pair: logs of its distance and of the way around walls and their
              difference, log odds and odds of sight, metres of wall and unknown on the line,
              how much was measured, how much of it saw each other, excess of the seen level
    seen      (P, N_LEVELS) mean log energy of pairs at that distance that see each other
    hidden    (P, N_LEVELS) of pairs that do not
    sides     (P, 2) sines of the angles from the nose to the emitter, and to the way around
    arrival   (P,) int64, samples until sound on the straight line arrives
    relation  (P, M, 4) to each measured pair, taken the better way round: metres between the
              emitters, between the receivers, 1 for either if a wall is known between them
    measured  (M, 6) of each measured pair: 1 if it sees each other, log distance, how much louder
              than expected it is early, late, in low and in high bands, nepers / 5
    louder    (M, N_LEVELS) log energy over that expected of such a pair
    direct    (M,) amplitude of direct sound over that of a free field
    """

    features: np.ndarray
    seen: np.ndarray
    hidden: np.ndarray
    sides: np.ndarray
    arrival: np.ndarray
    relation: np.ndarray
    measured: np.ndarray
    louder: np.ndarray
    direct: np.ndarray


class Knowledge:
    """All that was measured and seen in one episode.

    hrtf     the robots' head
    looks    whether depth images are used; without, nothing is known of walls
    """

    def __init__(self, hrtf: str = "kemar", looks: bool = True):
        self._hrtf, self._looks = hrtf, looks
        self._space = SeenSpace()
        self._places = np.zeros((0, 6), np.float32)
        self._measured = np.zeros((0, MEASURED_FEATURES), np.float32)
        self._louder = np.zeros((0, N_LEVELS), np.float32)
        self._direct = np.zeros(0, np.float32)

    def __len__(self) -> int:
        return len(self._places)

    def look(self, history: Sequence[JointObservation]) -> None:
        """Take in what the robots see now."""
        if self._looks:
            self._space.look_around(history)

    def measure(self, pairs: Pairs, rirs: np.ndarray) -> None:
        """Take in measured responses (P, 2, n)."""
        self._space.check_frame(pairs)
        parts = decompose(pairs, rirs, self._hrtf)
        seen = parts.direct > SEEN
        expected = np.where(seen[:, None], *expectation(pairs))
        mean = parts.envelope.mean(axis=1)  # turning the head does not change it
        louder = mean.reshape(len(mean), N_LEVELS) - expected
        by_time = louder.reshape(-1, N_TIMES, N_BANDS)
        said = [
            seen,
            np.log(np.maximum(distances(pairs), MIN_LENGTH)),
            by_time[:, :EARLY].mean(axis=(1, 2)) / 5,
            by_time[:, EARLY:].mean(axis=(1, 2)) / 5,
            by_time[:, :, : N_BANDS // 2].mean(axis=(1, 2)) / 5,
            by_time[:, :, N_BANDS // 2 :].mean(axis=(1, 2)) / 5,
        ]
        measured = np.stack(said, axis=1).astype(np.float32)
        self._places = np.concatenate([self._places, both_ends(pairs)[0]])
        self._measured = np.concatenate([self._measured, measured])
        self._louder = np.concatenate([self._louder, louder.astype(np.float32)])
        self._direct = np.concatenate([self._direct, parts.direct])

    def question(self, pairs: Pairs) -> Question:
        """These pairs in the light of all that is known."""
        seen, hidden = expectation(pairs)
        way, arrival = detours(self._space, pairs.emitter, pairs.receiver)
        nose = pairs.heading * (np.pi / 2)
        around = np.arctan2(arrival[:, 1], arrival[:, 0]) - nose
        sides = np.stack([np.sin(azimuths(pairs)), np.sin(around)], axis=1)
        return Question(
            self._features(pairs, way, seen, hidden),
            seen.astype(np.float32),
            hidden.astype(np.float32),
            sides.astype(np.float32),
            arrivals(pairs).astype(np.int64),
            self._relation(pairs),
            self._measured,
            self._louder,
            self._direct,
        )

    def _features(
        self, pairs: Pairs, way: np.ndarray, seen: np.ndarray, hidden: np.ndarray
    ) -> np.ndarray:
        unknown, wall = self._space.along(pairs.emitter, pairs.receiver)
        odds = self._space.log_odds(pairs)
        line = np.log(np.maximum(distances(pairs), MIN_LENGTH))
        way = np.log(np.maximum(way, MIN_LENGTH))
        shape = len(line), N_TIMES, N_BANDS
        excess = np.log(noise_energy(seen.reshape(shape)) / noise_energy(hidden.reshape(shape)))
        share = self._measured[:, 0].mean() if len(self) else 0.0
        said = [
            line,
            way,
            way - line,
            np.clip(odds, -15, 10) / 5,
            expit(odds),
            np.minimum(wall, 3),
            np.minimum(unknown, 10) / 3,
            np.full(len(line), np.log1p(len(self)) / 3),
            np.full(len(line), share),
            excess / 5,
        ]
        return np.stack(said, axis=1).astype(np.float32)

    def _relation(self, pairs: Pairs) -> np.ndarray:
        ends = self._places.reshape(-1, 2, 3)
        ways = []
        for way in both_ends(pairs):
            places = way.reshape(-1, 2, 3)
            metres = np.linalg.norm(places[:, None] - ends, axis=3)
            ways.append(np.concatenate([metres, self._space.hides(places, ends)], axis=2))
        costs = [np.square(way[..., :2]).sum(2) + BEHIND * way[..., 2:].sum(2) for way in ways]
        straight = (costs[0] <= costs[1])[..., None]
        return np.where(straight, *ways).astype(np.float32)


def expectation(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """(P, N_LEVELS) mean log energies of the train split at these distances, seen and hidden."""
    line = np.log(np.maximum(distances(pairs), MIN_LENGTH))
    basis = np.stack([np.ones_like(line), line], axis=1)
    table = mean_table()
    return basis @ table.seen.reshape(2, N_LEVELS), basis @ table.hidden.reshape(2, N_LEVELS)
