"""The table of rewards: what the environment offers, computes and documents."""

import numpy as np
import pytest
from documented import rows_of

from av_envs.separation.actions import Action
from av_envs.separation.env import SeparationEnv
from av_envs.separation.rewards import REWARDS

NOW = {"si_sdr": 3.0, "si_sdr_gain": 1.5, "nmse": 0.2, "geodesic_to_target": 6.0, "is_last": True}
BEFORE = {"si_sdr": 2.0, "si_sdr_gain": 0.5, "nmse": 0.5, "geodesic_to_target": 7.0}


def test_the_page_says_of_every_reward_what_the_table_says():
    rows = {cells[0]: cells[1] for cells in rows_of(SeparationEnv.__doc__, "Reward")}
    assert rows == {f'`"{name}"`': term.meaning for name, term in REWARDS.items()}


@pytest.mark.parametrize("name", REWARDS)
def test_a_reward_takes_arrays_as_it_takes_floats(name):
    """As the environments on a device need it."""
    term = REWARDS[name]
    stacked = [{key: np.array([v, v]) for key, v in values.items()} for values in (NOW, BEFORE)]
    assert term.function(*stacked).tolist() == [term.function(NOW, BEFORE)] * 2


@pytest.mark.parametrize("name", REWARDS)
def test_the_start_is_rendered_only_where_it_is_compared(name):
    env = SeparationEnv(houses=2, reward=name, observations=["pose"])
    _, info = env.reset(seed=0)
    moved = env.core.transition(env.state, Action.LEFT)
    assert len(env.core.poses_to_render(moved)) == 1 + REWARDS[name].against_start
    assert ("si_sdr_gain" in info) == REWARDS[name].against_start
