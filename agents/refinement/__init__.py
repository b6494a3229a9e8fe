"""Refinement of simulated acoustics: flow matching from cheap responses to expensive ones."""

from av_envs.agents.refinement.refiner import Refined

__all__ = ["Refined"]
