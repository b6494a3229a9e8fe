"""Heuristics for the separation task: the references for learned agents."""

from av_envs.baselines.separation.doa import DoA
from av_envs.baselines.separation.go_to_loudest import GoToLoudest
from av_envs.baselines.separation.go_to_nearest import GoToNearest
from av_envs.baselines.separation.novelty import Novelty
from av_envs.baselines.separation.oracle import Oracle
from av_envs.baselines.separation.proximity_prior import ProximityPrior
from av_envs.baselines.separation.random import Random
from av_envs.baselines.separation.rotate_in_place import RotateInPlace
from av_envs.baselines.separation.stand_in_place import StandInPlace

__all__ = [
    "DoA",
    "GoToLoudest",
    "GoToNearest",
    "Novelty",
    "Oracle",
    "ProximityPrior",
    "Random",
    "RotateInPlace",
    "StandInPlace",
]
