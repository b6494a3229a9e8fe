"""New places pay most, and every episode begins with none visited."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from av_envs.agents.separation.novelty import NoveltyReward


class Route(gym.Env):
    """Walks along given nodes, whatever is done; the first is where an episode begins."""

    observation_space = gym.spaces.Box(-1, 1, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, nodes):
        self.nodes = nodes

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(1, np.float32), {"node": self.nodes[0]}

    def step(self, action):
        self.t += 1
        is_last = self.t == len(self.nodes) - 1
        return np.zeros(1, np.float32), 99.0, False, is_last, {"node": self.nodes[self.t]}


def rewards(*routes, steps: int) -> np.ndarray:
    """(steps, N)"""
    envs = SyncVectorEnv(
        [lambda nodes=nodes: Route(nodes) for nodes in routes],
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    paid = NoveltyReward(envs)
    paid.reset(seed=0)
    return np.array([paid.step(np.zeros(len(routes), int))[1] for _ in range(steps)])


def test_the_root_of_the_visits():
    found = rewards([7, 8, 7, 7, 8, 7], steps=5)[:, 0]
    assert found == pytest.approx([1, 2**-0.5, 3**-0.5, 2**-0.5, 4**-0.5])


def test_every_episode_begins_anew_where_it_begins():
    # the last step is paid for where the old episode ended, and the new one stands on 7 already
    found = rewards([7, 8, 7], [1, 2, 3, 4, 3], steps=6)
    assert found[:, 0] == pytest.approx([1, 2**-0.5] * 3)
    assert found[:, 1] == pytest.approx([1, 1, 1, 2**-0.5, 1, 1])


def test_the_real_batch_of_environments():
    envs = gym.make_vec(
        "AVDynamicSep-v0", 2, autoreset_mode="SameStep", houses=1, steps=2, split="val",
        observations=("pose",),
    )  # fmt: skip
    paid = NoveltyReward(envs)
    paid.reset(seed=[0, 1])
    turns = [paid.step(np.array([1, 1]))[1] for _ in range(4)]  # on the spot
    assert np.array(turns) == pytest.approx(np.array([[2, 2], [3, 3]] * 2) ** -0.5)


def test_some_may_be_begun_alone():
    envs = SyncVectorEnv(
        [lambda: Route([7] * 9) for _ in range(2)], autoreset_mode=AutoresetMode.SAME_STEP
    )
    paid = NoveltyReward(envs)
    paid.reset(seed=0)
    paid.step(np.zeros(2, int))
    paid.reset(options={"reset_mask": np.array([True, False])})
    assert paid.step(np.zeros(2, int))[1] == pytest.approx([2**-0.5, 3**-0.5])
