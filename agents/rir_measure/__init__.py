"""Learned teams that measure: MACMA, MACMARA, their generator and their training."""

from av_envs.agents.rir_measure.play import Curiosity, Macma, Macmara, Occupancy

__all__ = ["Curiosity", "Macma", "Macmara", "Occupancy"]
