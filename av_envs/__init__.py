"""Environments for agents that see, hear and walk; importing this registers them."""

from av_envs.cache.kernels import place_kernels
from av_envs.registration import VARIANTS, register_all

__all__ = ["VARIANTS"]
__version__ = "0.2.0"

place_kernels()
register_all()
