"""What is learned of measuring: teams (MACMA, MACMARA), their generator, and a predictor."""

from av_envs.agents.rir_measure.play import Curiosity, Macma, Macmara, Occupancy, PlaceChooser
from av_envs.agents.rir_measure.set_predictor.predictor import SetPredictor

__all__ = ["Curiosity", "Macma", "Macmara", "Occupancy", "PlaceChooser", "SetPredictor"]
