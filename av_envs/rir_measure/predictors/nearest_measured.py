"""Repeats the response measured nearest to a pair."""

from collections.abc import Sequence

import numpy as np

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.geometry import arrivals, azimuths, both_ends
from av_envs.rir_measure.predictors.mean import fitted, mean_table
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext

TURN = 0.5  # m: a quarter turn of the head changes about as much as half a metre of walking


class NearestMeasured:
    """Predicts the nearest response of this episode, moved to the delay of the pair.

    Near means: metres between the emitters plus metres between the receivers plus `TURN`
    per quarter turn between the directions, seen from the nose, from which the sound
    comes. An impulse response from a to b also says something about b to a, so with
    `reciprocity` each measured pair stands for its reverse too, at the ears it was
    measured with. Before anything is measured, it is the mean of the train split.
    """

    def __init__(self, reciprocity: bool = True):
        self._reciprocity = reciprocity

    def reset(self, context: PredictionContext) -> None:
        self._n_samples = context.n_samples
        self._mean = fitted(mean_table().waveform, context.n_samples)
        self._measured: list[np.ndarray] = []
        self._places = np.zeros((0, 6), np.float32)  # emitter and receiver
        self._azimuths = np.zeros(0)  # radians from the nose to the emitter
        self._arrivals = np.zeros(0, int)  # samples

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        self._measured += [rir.copy() for rir in rirs]
        self._places = np.concatenate([self._places, both_ends(pairs)[0]])
        self._azimuths = np.concatenate([self._azimuths, azimuths(pairs)])
        self._arrivals = np.concatenate([self._arrivals, arrivals(pairs)])

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        out = np.empty((len(pairs.heading), 2, self._n_samples), np.float32)
        if not self._measured:
            out[:] = self._mean
            return out
        nearest = self._distances(pairs).argmin(axis=1)
        later = arrivals(pairs) - self._arrivals[nearest]
        for row, index, shift in zip(out, nearest, later, strict=True):
            row[:] = delayed(self._measured[index], shift)
        return out

    def _distances(self, pairs: Pairs) -> np.ndarray:
        """(P, M) metres to each measured pair."""
        gaps = [
            np.linalg.norm(way[:, None, :3] - self._places[:, :3], axis=2)
            + np.linalg.norm(way[:, None, 3:] - self._places[:, 3:], axis=2)
            for way in both_ends(pairs)[: 1 + self._reciprocity]
        ]
        turn = azimuths(pairs)[:, None] - self._azimuths
        turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi) / (np.pi / 2)
        return np.min(gaps, axis=0) + TURN * turn


def delayed(rir: np.ndarray, samples: int) -> np.ndarray:
    """(2, n) the response that many samples later, or earlier if negative."""
    moved = np.zeros_like(rir)
    if samples >= 0:
        moved[:, samples:] = rir[:, : rir.shape[1] - samples]
    else:
        moved[:, :samples] = rir[:, -samples:]
    return moved
