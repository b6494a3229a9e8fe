"""Who predicts: simple predictors, and the protocol of those that learn."""

from av_envs.rir_measure.predictors.open import PREDICTORS, open_predictor
from av_envs.rir_measure.predictors.protocol import (
    JointObservation,
    PredictionContext,
    RIRPredictor,
    hidden_truth,
    if_declared,
)

__all__ = [
    "PREDICTORS",
    "JointObservation",
    "PredictionContext",
    "RIRPredictor",
    "hidden_truth",
    "if_declared",
    "open_predictor",
]
