"""The reward of a step against sums known in advance."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from av_envs.rir_measure.rewards import Components, Quantities, RewardWeights, components, shares

numbers = st.floats(-1e3, 1e3)
quantities = st.builds(Quantities, numbers, numbers, numbers, numbers)
weights = st.builds(RewardWeights, numbers, numbers, numbers, numbers)

BEFORE = Quantities(xi=-2.0, zeta=0.25, psi=4.0, phi=0.0)
AFTER = Quantities(xi=-1.5, zeta=0.26, psi=4.5616, phi=0.5)


def test_the_weights_of_the_paper():
    gained = components(BEFORE, AFTER, RewardWeights())
    assert gained == pytest.approx((0.5, 0.01, -0.5616, 0.5))
    assert gained.total == pytest.approx(0.4484)


def test_each_weight_is_its_component():
    expected = (3 * 0.5, 5 * 0.01, 7 * 0.5616, 11 * 0.5)
    assert components(BEFORE, AFTER, RewardWeights(3, 5, 7, 11)) == pytest.approx(expected)


@given(st.lists(quantities, min_size=2, max_size=20), weights)
def test_every_component_telescopes(episode, weighted):
    steps = [components(a, b, weighted) for a, b in pairwise(episode)]
    summed = Components(*np.sum(steps, axis=0))
    whole = components(episode[0], episode[-1], weighted)
    assert summed == pytest.approx(whole, abs=1e-6)
    assert sum(step.total for step in steps) == pytest.approx(whole.total, abs=1e-5)


@pytest.mark.parametrize(
    ("before", "after"), [(math.nan, -1.0), (-1.0, math.nan), (math.nan, math.nan)]
)
def test_accuracy_is_worth_nothing_where_nothing_was_predicted(before, after):
    gained = components(BEFORE._replace(xi=before), AFTER._replace(xi=after), RewardWeights())
    assert gained.xi == 0
    assert gained.total == pytest.approx(0.01 - 0.5616 + 0.5)


def test_a_step_on_the_spot_is_worth_nothing():
    assert components(BEFORE, BEFORE, RewardWeights()) == (0, 0, 0, 0)


@pytest.mark.parametrize("n_robots", [1, 2, 3])
def test_rho_minus_one_gives_everyone_everything(n_robots):
    assert shares(-1, n_robots).tolist() == [1] * n_robots


@pytest.mark.parametrize(("rho", "share"), [(0, 0.5), (0.5, 0.25), (1, 0)])
def test_the_rest_is_split_evenly(rho, share):
    assert shares(rho, 2).tolist() == [share, share]


@given(st.floats(0, 1), st.integers(1, 10))
def test_shares_leave_rho_to_the_learner(rho, n_robots):
    assert shares(rho, n_robots).shape == (n_robots,)
    assert shares(rho, n_robots).sum() == pytest.approx(1 - rho)


@pytest.mark.parametrize("rho", [-0.5, -2, 1.01, math.nan])
def test_other_rho_raise(rho):
    with pytest.raises(ValueError, match="rho must be -1 or lie in"):
        shares(rho, 2)


def test_no_robots_raise():
    with pytest.raises(ValueError, match="n_robots must be at least 1, got 0"):
        shares(-1, 0)
