"""Upper bound: predicts the true responses."""

from collections.abc import Sequence

import numpy as np

from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.protocol import JointObservation, PredictionContext


class Oracle:
    """Looks up the true responses."""

    privileged = ("truth",)

    def reset(self, context: PredictionContext) -> None:
        self._truth = context.truth

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        return self._truth(pairs)

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        pass
