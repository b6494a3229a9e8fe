"""Heuristics for AVDynamicSep-v0: what every learned agent has to beat."""

from baselines.separation.oracle import Oracle
from baselines.separation.random import Random
from baselines.separation.stand_in_place import StandInPlace

__all__ = ["Oracle", "Random", "StandInPlace"]
