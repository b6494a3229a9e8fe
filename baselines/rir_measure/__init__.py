"""Heuristic teams for the measuring task: the references for learned ones."""

from av_envs.baselines.rir_measure.coverage_oracle import CoverageOracle
from av_envs.baselines.rir_measure.curiosity import Curiosity
from av_envs.baselines.rir_measure.frontier import Frontier
from av_envs.baselines.rir_measure.nearest_neighbor import NearestNeighbor
from av_envs.baselines.rir_measure.occupancy import Occupancy
from av_envs.baselines.rir_measure.random import Random
from av_envs.baselines.rir_measure.spread_out import SpreadOut

__all__ = [
    "CoverageOracle",
    "Curiosity",
    "Frontier",
    "NearestNeighbor",
    "Occupancy",
    "Random",
    "SpreadOut",
]
