"""The separation heuristics on gains made by hand."""

import numpy as np
import pytest
from gymnasium import spaces

from baselines.separation import Oracle, Random, StandInPlace

ACTIONS = spaces.Discrete(4)
NOTHING = spaces.Dict()
STAY = 3


@pytest.mark.parametrize(
    ("gains", "action"),
    [
        ([0.0, 2.0, -1.0, 1.0], 1),
        ([5.0, 2.0, -1.0, 1.0], 0),
        ([-3.0, -2.0, -1.0, -4.0], 2),
        ([1.0, 1.0, 1.0, 1.0], STAY),  # blocked and turning in place: do not fidget
        ([2.0, 1.0, 2.0, 2.0 - 1e-6], STAY),  # equal but for rounding
        ([np.nan] * 4, STAY),  # the target pauses: nothing to gain anywhere
        ([2.0, 1.0, 2.0, 1.9], 0),  # a real difference; the first of two equals
    ],
)
def test_oracle_takes_the_greatest_gain(gains, action):
    agent = Oracle(NOTHING, ACTIONS, seed=0)
    agent.reset(seed=1)
    assert agent.act({}, {"action_gains": np.array(gains, np.float32)}) == action


def test_oracle_declares_what_it_reads():
    assert Oracle.privileged == ("action_gains",)
    assert not hasattr(Random, "privileged")
    assert not hasattr(StandInPlace, "privileged")


@pytest.mark.parametrize("gains", [[1.0, 2.0], [1.0, np.nan, 0.0, 0.0]])
def test_oracle_refuses_gains_it_cannot_compare(gains):
    with pytest.raises(ValueError, match="action_gains must be 4 finite numbers"):
        Oracle(NOTHING, ACTIONS, seed=0).act({}, {"action_gains": np.array(gains)})


def test_random_is_uniform_and_repeats_with_its_seed():
    agent = Random(NOTHING, ACTIONS, seed=0)
    agent.reset(seed=5)
    first = [agent.act({}) for _ in range(4000)]
    agent.reset(seed=5)
    assert first == [agent.act({}) for _ in range(4000)]
    agent.reset(seed=6)
    assert first != [agent.act({}) for _ in range(4000)]
    # 4 cells of 1000 expected: a chi-squared above 21 has a probability of 1e-4
    assert ((np.bincount(first, minlength=4) - 1000) ** 2 / 1000).sum() < 21


def test_stand_in_place_stays_and_needs_a_stay_action():
    assert StandInPlace(NOTHING, ACTIONS, seed=0).act({}) == STAY
    with pytest.raises(ValueError, match="needs action 3"):
        StandInPlace(NOTHING, spaces.Discrete(3), seed=0)
