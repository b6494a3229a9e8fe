"""Teams for the measuring task that learn nothing: what every learned team has to beat."""

from baselines.rir_measure.coverage_oracle import CoverageOracle
from baselines.rir_measure.curiosity import Curiosity
from baselines.rir_measure.frontier import Frontier
from baselines.rir_measure.nearest_neighbor import NearestNeighbor
from baselines.rir_measure.occupancy import Occupancy
from baselines.rir_measure.random import Random
from baselines.rir_measure.spread_out import SpreadOut

__all__ = [
    "CoverageOracle",
    "Curiosity",
    "Frontier",
    "NearestNeighbor",
    "Occupancy",
    "Random",
    "SpreadOut",
]
