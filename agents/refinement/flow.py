"""Flow matching between pairs, and how a learned flow is followed.

The flow starts at what was simulated (time 0) and ends at the truth (time 1); there is no prior
of noise. Liang, Song, Xu et al., "pi-AVAS", ICCV 2025, supplementary, algorithm 1, which is the
independent conditional flow matching of Tong et al., "Improving and generalizing flow-based
generative models with minibatch optimal transport", TMLR 2024, for these pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from av_envs.options import check_choice, check_whole

SIGMA = 1e-4  # of the noise around the path, in the unit of a pair
MOST_STEPS = 1000
OBJECTIVES = ("flow", "regression")

Velocity = Callable[[Tensor, Tensor], Tensor]  # of where (B, C, n) and time (B,)


def path_at(start: Tensor, end: Tensor, time: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Where the path of each pair is at a time: t x1 + (1 - t) x0 + sigma eps.

    start, end, noise  (B, C, n)
    time               (B,) in 0..1
    """
    t = time[:, None, None]
    return t * end + (1 - t) * start + sigma * noise


def flow_matching_loss(
    velocity: Velocity,
    start: Tensor,
    end: Tensor,
    generator: torch.Generator,
    sigma: float = SIGMA,
) -> Tensor:
    """Mean squared error of the velocity against x1 - x0, at a random time of each pair."""
    time = torch.rand(len(start), generator=generator).to(start.device)
    noise = torch.randn(start.shape, generator=generator).to(start.device)
    found = velocity(path_at(start, end, time, noise, sigma), time)
    return torch.mean((found - (end - start)) ** 2)


def regression_loss(velocity: Velocity, start: Tensor, end: Tensor) -> Tensor:
    """Mean squared error of one step from the start: what a network without a flow would learn."""
    return torch.mean((velocity(start, start.new_zeros(len(start))) - (end - start)) ** 2)


def objective_loss(
    objective: str,
    velocity: Velocity,
    start: Tensor,
    end: Tensor,
    generator: torch.Generator,
    sigma: float = SIGMA,
) -> Tensor:
    """The loss of an objective, one of OBJECTIVES."""
    check_choice("objective", objective, OBJECTIVES)
    if objective == "regression":
        return regression_loss(velocity, start, end)
    return flow_matching_loss(velocity, start, end, generator, sigma)


def _euler(velocity: Velocity, at: Tensor, time: Tensor, step: float) -> Tensor:
    return at + step * velocity(at, time)


def _midpoint(velocity: Velocity, at: Tensor, time: Tensor, step: float) -> Tensor:
    half = at + step / 2 * velocity(at, time)
    return at + step * velocity(half, time + step / 2)


def _heun(velocity: Velocity, at: Tensor, time: Tensor, step: float) -> Tensor:
    first = velocity(at, time)
    second = velocity(at + step * first, time + step)
    return at + step / 2 * (first + second)


def _paper_midpoint(velocity: Velocity, at: Tensor, time: Tensor, step: float) -> Tensor:
    """As printed, which is Heun's step; the time of the second slope, not printed, is the same."""
    first = velocity(at, time)
    second = velocity(at + step * first, time)
    return at + step / 2 * (first + second)


class Solver(NamedTuple):
    """A rule of one step.

    order        of its error
    evaluations  of the network in a step
    """

    step: Callable[[Velocity, Tensor, Tensor, float], Tensor]
    order: int
    evaluations: int


SOLVERS: dict[str, Solver] = {
    "euler": Solver(_euler, 1, 1),
    "midpoint": Solver(_midpoint, 2, 2),
    "heun": Solver(_heun, 2, 2),
    "paper_midpoint": Solver(_paper_midpoint, 1, 2),
}


def evaluations_of(solver: str, steps: int) -> int:
    """How often the network is asked."""
    check_solver(solver, steps)
    return steps * SOLVERS[solver].evaluations


def check_solver(solver: str, steps: int) -> None:
    """Raise ValueError unless there is such a solver and that many steps."""
    check_choice("solver", solver, SOLVERS)
    check_whole("steps", steps, 1, MOST_STEPS)


def follow(velocity: Velocity, start: Tensor, solver: str, steps: int) -> Tensor:
    """Where a flow from `start` (B, C, n) at time 0 is at time 1, by equal steps."""
    check_solver(solver, steps)
    at, rule, step = start, SOLVERS[solver].step, 1 / steps
    for k in range(steps):
        at = rule(velocity, at, start.new_full((len(start),), k * step), step)
    return at
