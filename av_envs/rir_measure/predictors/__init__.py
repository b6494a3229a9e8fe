"""Predictors of impulse responses: simple ones, and the protocol of those that learn."""

from av_envs.rir_measure.predictors.open import PREDICTORS, open_predictor
from av_envs.rir_measure.predictors.protocol import (
    JointObservation,
    PredictionContext,
    RIRPredictor,
    context_for,
    hidden_truth,
)

__all__ = [
    "PREDICTORS",
    "JointObservation",
    "PredictionContext",
    "RIRPredictor",
    "context_for",
    "hidden_truth",
    "open_predictor",
]
