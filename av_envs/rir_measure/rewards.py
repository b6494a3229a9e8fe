"""What a step is worth. Pure functions of numbers.

Equations 6 to 11 of Yu et al., "Measuring Acoustics with Collaborative Multiple Agents",
IJCAI 2023. Every component is the change of a quantity, so its sum over an episode is the
last value minus the first. The scales are unequal: coverage changes by hundredths in a step,
the area by square metres.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Quantities(NamedTuple):
    """What the reward looks at, at one moment.

    xi    minus the STFT distance of the last prediction; nan if there is none
    zeta  share of the nodes that the team has visited
    psi   m, perimeter of the hull of all robots, now and one step before
    phi   m2, area of the same hull
    """

    xi: float
    zeta: float
    psi: float
    phi: float


@dataclass(frozen=True)
class RewardWeights:
    """Weights of the four components; the defaults are those of the paper."""

    xi: float = 1.0
    zeta: float = 1.0
    psi: float = -1.0
    phi: float = 1.0


class Components(NamedTuple):
    """Weighted changes of the four quantities."""

    xi: float
    zeta: float
    psi: float
    phi: float

    @property
    def total(self) -> float:
        """The team's reward."""
        return sum(self)


def components(before: Quantities, after: Quantities, weights: RewardWeights) -> Components:
    """What a step has won; accuracy counts only where it is known before and after."""
    xi = weights.xi * (after.xi - before.xi)
    return Components(
        0.0 if math.isnan(xi) else xi,
        weights.zeta * (after.zeta - before.zeta),
        weights.psi * (after.psi - before.psi),
        weights.phi * (after.phi - before.phi),
    )


def shares(rho: float, n_robots: int) -> np.ndarray:
    """How much of the team's reward each robot gets, (n_robots,) float64.

    rho  the part in 0..1 that a learner shares out by itself, the rest is split evenly;
         -1 gives each robot all of it, where (1 - rho) / 2 is one for two robots
    """
    if n_robots < 1:
        raise ValueError(f"n_robots must be at least 1, got {n_robots}")
    if rho == -1:
        return np.ones(n_robots)
    if not 0 <= rho <= 1:
        raise ValueError(f"rho must be -1 or lie in 0..1, got {rho}")
    return np.full(n_robots, (1 - rho) / n_robots)
