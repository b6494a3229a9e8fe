"""Task 1: hear one sound among many by walking to where it can be told apart."""

from av_envs.separation.config import SeparationConfig

__all__ = ["SeparationConfig"]
