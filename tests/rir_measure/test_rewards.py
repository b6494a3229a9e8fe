"""The reward of a step against sums known in advance."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.joint import JointMeasureEnv
from av_envs.rir_measure.rewards import REWARDS, components, shares, weights

numbers = st.floats(-1e3, 1e3)
values = st.fixed_dictionaries(dict.fromkeys(REWARDS, numbers))

BEFORE = {"xi": -2.0, "zeta": 0.25, "psi": 4.0, "phi": 0.0}
AFTER = {"xi": -1.5, "zeta": 0.26, "psi": 4.5616, "phi": 0.5}
PAPER = weights(MeasureConfig())


def test_the_weights_of_the_paper():
    gained = components(BEFORE, AFTER, PAPER)
    assert gained == pytest.approx({"xi": 0.5, "zeta": 0.01, "psi": -0.5616, "phi": 0.5})
    assert sum(gained.values()) == pytest.approx(0.4484)


def test_each_weight_is_its_component():
    config = MeasureConfig(alpha_xi=3.0, alpha_zeta=5.0, alpha_psi=7.0, alpha_phi=11.0)
    expected = {"xi": 3 * 0.5, "zeta": 5 * 0.01, "psi": 7 * 0.5616, "phi": 11 * 0.5}
    assert components(BEFORE, AFTER, weights(config)) == pytest.approx(expected)


@given(st.lists(values, min_size=2, max_size=20), values)
def test_every_component_telescopes(episode, weighted):
    steps = [components(a, b, weighted) for a, b in pairwise(episode)]
    whole = components(episode[0], episode[-1], weighted)
    for name, total in whole.items():
        assert sum(step[name] for step in steps) == pytest.approx(total, abs=1e-6)


@pytest.mark.parametrize(
    ("before", "after"), [(math.nan, -1.0), (-1.0, math.nan), (math.nan, math.nan)]
)
def test_accuracy_is_worth_nothing_where_nothing_was_predicted(before, after):
    gained = components({**BEFORE, "xi": before}, {**AFTER, "xi": after}, PAPER)
    assert gained["xi"] == 0
    assert sum(gained.values()) == pytest.approx(0.01 - 0.5616 + 0.5)


def test_a_step_on_the_spot_is_worth_nothing():
    assert components(BEFORE, BEFORE, PAPER) == dict.fromkeys(REWARDS, 0)


def test_every_term_has_its_row_in_the_docs():
    """Component, weight, its default, and the first words of the quantity."""
    text = " ".join(JointMeasureEnv.__doc__.replace("|", " ").split())
    for name, term in REWARDS.items():
        default = getattr(MeasureConfig(), term.weight)
        row = f"`r_{name}` `{term.weight}` {default} {name}: {term.meaning[:20]}"
        assert row in text, row


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
