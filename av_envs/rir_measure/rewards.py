"""The reward of a step: weighted changes of quantities of the episode's state.

Equations 6 to 11 of Yu et al., "Measuring Acoustics with Collaborative Multiple Agents",
IJCAI 2023. A component is the change of a quantity, so its sum over an episode is the last value
minus the first. The scales are unequal: coverage changes by hundredths in a step, the area by
square metres.

A new term is an entry of `REWARDS` and the option of its weight in `MeasureConfig`; its quantity
and its component `r_<name>` are then in the info.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.metrics.episode import coverage_ratio
from av_envs.rir_measure.state import EpisodeState


class RewardTerm(NamedTuple):
    """One term of the team's reward.

    quantity  of the present state; nan where it is unknown, which makes its change worth 0
    weight    option of `MeasureConfig` that its change is multiplied with
    meaning   of the quantity, with its unit
    """

    quantity: Callable[[EpisodeState], float]
    weight: str
    meaning: str


REWARDS: dict[str, RewardTerm] = {
    "xi": RewardTerm(
        lambda state: state.scorer.xi,
        "alpha_xi",
        "minus the distance of the predicted responses from the measured ones, over short-time "
        "spectra",
    ),
    "zeta": RewardTerm(
        lambda state: coverage_ratio(state.visited),
        "alpha_zeta",
        "coverage, the share of nodes that were visited",
    ),
    "psi": RewardTerm(
        lambda state: state.hull[0],
        "alpha_psi",
        "perimeter in metres of the hull of where the robots are and were one step before",
    ),
    "phi": RewardTerm(
        lambda state: state.hull[1],
        "alpha_phi",
        "area of that hull in square metres",
    ),
}


def quantities(state: EpisodeState) -> dict[str, float]:
    """What the terms of the reward look at, by name."""
    return {name: term.quantity(state) for name, term in REWARDS.items()}


def weights(config: MeasureConfig) -> dict[str, float]:
    """Of the terms, by name."""
    return {name: getattr(config, term.weight) for name, term in REWARDS.items()}


def components(
    before: Mapping[str, float], after: Mapping[str, float], weighted: Mapping[str, float]
) -> dict[str, float]:
    """Weighted changes by name; 0 where a quantity is unknown before or after.

    before, after  quantities
    """
    changes = {name: weight * (after[name] - before[name]) for name, weight in weighted.items()}
    return {name: 0.0 if math.isnan(change) else change for name, change in changes.items()}


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
