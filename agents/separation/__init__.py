"""Learned active separation: separators, memories, policies and their training."""

from av_envs.agents.separation.learned_doa import LearnedDoA
from av_envs.agents.separation.passive import Passive
from av_envs.agents.separation.play import Active, Memoryless, Move2Hear, Novelty, SingleStep

__all__ = ["Active", "LearnedDoA", "Memoryless", "Move2Hear", "Novelty", "Passive", "SingleStep"]
