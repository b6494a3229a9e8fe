"""Flow matching and the rules by which flows are followed, on fields with known ends."""

import math

import pytest
import torch

from av_envs.agents.refinement.flow import (
    SIGMA,
    SOLVERS,
    evaluations_of,
    flow_matching_loss,
    follow,
    path_at,
    regression_loss,
)

RATE = -1.3  # of the linear field
ONE = torch.ones(1, 1, 1, dtype=torch.float64)
ORDERS = {"euler": 1, "midpoint": 2, "heun": 2, "paper_midpoint": 2}  # in fields without time


def linear(at, time):
    return RATE * at


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_constant_field_is_followed_exactly(solver, steps):
    start = torch.randn(3, 2, 7, dtype=torch.float64)
    speed = torch.randn(3, 2, 7, dtype=torch.float64)
    found = follow(lambda at, time: speed, start, solver, steps)
    torch.testing.assert_close(found, start + speed)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_a_linear_field_has_closed_forms(solver, steps):
    h = RATE / steps
    factor = 1 + h if solver == "euler" else 1 + h + h * h / 2
    assert follow(linear, ONE, solver, steps).item() == pytest.approx(factor**steps, rel=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
def test_errors_fall_with_the_order(solver):
    errors = [abs(follow(linear, ONE, solver, n).item() - math.exp(RATE)) for n in (64, 128)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(ORDERS[solver], abs=0.05)


@pytest.mark.parametrize(
    ("solver", "end"),
    [("euler", 0.375), ("midpoint", 0.5), ("heun", 0.5), ("paper_midpoint", 0.375)],
    ids=SOLVERS,
)
def test_times_of_slopes(solver, end):
    """In u = t, whose integral is 1/2: rules of second order are exact, the printed one is not."""
    found = follow(lambda at, time: time[:, None, None].expand_as(at), 0 * ONE, solver, 4)
    assert found.item() == pytest.approx(end)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [1, 4, 10])
def test_evaluations_are_counted(solver, steps):
    asked = []

    def velocity(at, time):
        asked.append(time.item())
        return at

    follow(velocity, ONE, solver, steps)
    assert len(asked) == evaluations_of(solver, steps)
    assert min(asked) == 0
    assert max(asked) <= 1


@pytest.mark.parametrize("steps", [0, 2.0, True], ids=str)
def test_steps_are_whole(steps):
    with pytest.raises(ValueError, match="steps must be a whole number"):
        follow(linear, ONE, "euler", steps)


def test_an_unknown_solver_is_named():
    with pytest.raises(ValueError, match=r"'rk4' does not exist.*paper_midpoint"):
        follow(linear, ONE, "rk4", 1)


def test_paths_run_straight_from_start_to_end():
    start, end = torch.zeros(3, 1, 2), torch.full((3, 1, 2), 4.0)
    noise = torch.ones(3, 1, 2)
    found = path_at(start, end, torch.tensor([0.0, 0.25, 1.0]), noise, SIGMA)
    torch.testing.assert_close(found[:, 0, 0], torch.tensor([0.0, 1.0, 4.0]) + SIGMA)


def test_the_loss_is_that_of_algorithm_1():
    start, end = torch.randn(64, 2, 5), torch.randn(64, 2, 5)
    seen = []

    def velocity(at, time):
        seen.append((at, time))
        return torch.zeros_like(at)

    lost = flow_matching_loss(velocity, start, end, torch.Generator().manual_seed(0))
    torch.testing.assert_close(lost, torch.mean((end - start) ** 2))
    at, time = seen[0]
    off = at - path_at(start, end, time, torch.zeros_like(at), 0)
    assert off.std().item() == pytest.approx(SIGMA, rel=0.15)
    assert 0 <= time.min() < 0.1
    assert 0.9 < time.max() <= 1


def test_the_true_velocity_costs_nothing():
    start, end = torch.randn(4, 2, 5), torch.randn(4, 2, 5)

    def velocity(at, time):
        return end - start

    assert flow_matching_loss(velocity, start, end, torch.Generator()) == 0
    assert regression_loss(velocity, start, end) == 0


def test_regression_asks_once_at_the_start():
    start, end = torch.randn(4, 2, 5), torch.randn(4, 2, 5)

    def velocity(at, time):
        assert torch.equal(at, start)
        assert not time.any()
        return end - start + 2

    assert regression_loss(velocity, start, end).item() == pytest.approx(4)
