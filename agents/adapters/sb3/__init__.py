"""Stable-Baselines3 and sb3-contrib: features, vector environments, and agents for the boards."""

from agents.adapters.sb3.agent import SB3Agent
from agents.adapters.sb3.features import AVFeaturesExtractor
from agents.adapters.sb3.robots_vec_env import RobotsVecEnv
from agents.adapters.sb3.vec_env import NativeVecEnv

__all__ = ["AVFeaturesExtractor", "NativeVecEnv", "RobotsVecEnv", "SB3Agent"]
