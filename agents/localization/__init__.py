"""Learned localisation of sound sources, and the agent that it drives."""

from av_envs.agents.localization.hungarian import load_hnet
from av_envs.agents.separation.learned_doa import LearnedDoA

__all__ = ["LearnedDoA", "load_hnet"]
