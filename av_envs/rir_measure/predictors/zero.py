"""All-zero RIR baseline."""

from collections.abc import Sequence

import numpy as np

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext


class Zero:
    """Predicts silence."""

    def reset(self, context: PredictionContext) -> None:
        self._silence = np.zeros((1, 2, context.n_samples), np.float32)

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        return np.broadcast_to(self._silence, (len(pairs.heading), *self._silence.shape[1:]))

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        pass
