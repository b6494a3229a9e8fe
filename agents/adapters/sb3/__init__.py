"""Stable-Baselines3 and sb3-contrib: features, vector environments, and agents for the boards."""

from av_envs.agents.adapters.sb3.agent import SB3Agent
from av_envs.agents.adapters.sb3.features import AVFeaturesExtractor
from av_envs.agents.adapters.sb3.robots_vec_env import RobotsVecEnv
from av_envs.agents.adapters.sb3.vec_env import NativeVecEnv

__all__ = ["AVFeaturesExtractor", "NativeVecEnv", "RobotsVecEnv", "SB3Agent"]
