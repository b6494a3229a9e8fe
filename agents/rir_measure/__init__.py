"""Learned agents of the measuring task."""

from av_envs.agents.rir_measure.set_predictor.predictor import SetPredictor

__all__ = ["SetPredictor"]
