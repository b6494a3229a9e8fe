"""Mean response and mean envelopes of the train split."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext


class MeanTable(NamedTuple):
    """Means over many pairs of places in the dwellings of the train split.

    waveform  (2, 16000) float32, left ear first
    seen      (2, N_TIMES, 7) float32, the envelope (see `envelope`) of pairs that see each
              other as a straight line over the log of their distance: at 1 m, and slope
    hidden    (2, N_TIMES, 7) float32, the same of pairs with something between them
    lateral   (N_TIMES, 7) float32, envelope at the left ear less that at the right one, for
              sound that comes straight from the left
    """

    waveform: np.ndarray
    seen: np.ndarray
    hidden: np.ndarray
    lateral: np.ndarray


@cache
def mean_table() -> MeanTable:
    """The table made by `python -m av_envs.rir_measure.predictors.measure_mean`."""
    found = as_file(files("av_envs") / "data" / "mean_rir.npz")
    with found as path, np.load(path, allow_pickle=False) as stored:
        table = {key: stored[key].astype(np.float32) for key in stored.files}
    table["waveform"] *= table.pop("scale")
    for array in table.values():
        array.flags.writeable = False
    return MeanTable(**table)


class Mean:
    """Predicts the mean response of the train split, whatever the pair."""

    def reset(self, context: PredictionContext) -> None:
        self._waveform = fitted(mean_table().waveform, context.n_samples)

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        return np.broadcast_to(self._waveform, (len(pairs.heading), *self._waveform.shape))

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        pass


def fitted(rir: np.ndarray, n_samples: int) -> np.ndarray:
    """The response cut or padded with zeros to n_samples."""
    kept = rir[..., :n_samples]
    missing = n_samples - kept.shape[-1]
    return np.pad(kept, [(0, 0)] * (rir.ndim - 1) + [(0, missing)]) if missing else kept
