"""What only an ablation is told."""

import numpy as np
import pytest
from small_worlds import single

from av_envs.agents.adapters.sb3.privileged_obs import FAR, TOLD, told, told_space
from av_envs.agents.train_sb3 import make_venv


def test_numbers_are_those_of_the_truth():
    truth = {
        "target_bearing": np.float32(np.pi / 2),  # to the left
        "straight_after": np.array([1, 2, 2, 3], np.float32),
        "distances_after": np.array([4, 5, 5, 5], np.float32),
        "forward_is_free": np.bool_(True),
    }
    np.testing.assert_allclose(told(truth), [0, 1, 3 / FAR, 5 / FAR, 1], atol=1e-6)


def test_a_batch_is_told_what_each_environment_knows():
    env = single("AVDynamicSep-v0", observations=("target",))
    env.reset(seed=5)
    alone = told({key: env.unwrapped.privileged(key) for key in TOLD})
    venv = make_venv("AVDynamicSep-v0", 2, told=True, observations=("target",), houses=1, steps=5)
    venv.seed(4)
    row = venv.reset()["told"][1]
    np.testing.assert_array_equal(row, alone)
    assert told_space().contains(row)
    assert venv.observation_space["told"] == told_space()


def test_the_environment_itself_never_tells():
    with pytest.raises(ValueError, match="'told' does not exist"):
        single("AVDynamicSep-v0", observations=("told",))
