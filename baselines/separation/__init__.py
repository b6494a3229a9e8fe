"""Heuristics for the separation task: what every learned agent has to beat."""

from baselines.separation.doa import DoA
from baselines.separation.novelty import Novelty
from baselines.separation.oracle import Oracle
from baselines.separation.proximity_prior import ProximityPrior
from baselines.separation.random import Random
from baselines.separation.rotate_in_place import RotateInPlace
from baselines.separation.stand_in_place import StandInPlace

__all__ = ["DoA", "Novelty", "Oracle", "ProximityPrior", "Random", "RotateInPlace", "StandInPlace"]
