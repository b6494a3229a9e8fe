"""Environments so small that what PPO should make of them is known."""

from collections.abc import Callable, Sequence
from functools import partial

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv


class Counting(gym.Env):
    """Observes noise and the step, earns noise; whatever is done, it ends when told.

    lengths  steps of the episodes, one after the other and then again
    ends_by  "terminated" or "truncated" for each of them
    """

    def __init__(self, lengths: Sequence[int] = (3,), ends_by: Sequence[str] = ("truncated",)):
        self.observation_space = Dict(noise=Box(-np.inf, np.inf, (2,)), step=Box(0, 99, (1,)))
        self.action_space = Discrete(2)
        self.plan = list(zip(lengths, ends_by, strict=True))
        self.episode = -1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode = self.episode + 1 if seed is None else 0
        self.t = 0
        return self._observation(), {"told": float(self.t)}

    def step(self, action):
        self.t += 1
        length, by = self.plan[self.episode % len(self.plan)]
        ended = self.t == length
        told = {"told": float(self.t)}
        reward = float(self.np_random.normal())
        of_both = (ended and by == "terminated", ended and by == "truncated")
        return self._observation(), reward, *of_both, told

    def _observation(self):
        noise = self.np_random.normal(size=2).astype(np.float32)
        return {"noise": noise, "step": np.array([self.t], np.float32)}


class Cue(gym.Env):
    """Only the first of some observations says which action is right at the last step."""

    def __init__(self, steps: int = 8):
        self.observation_space = Box(-1, 1, (2,))
        self.action_space = Discrete(2)
        self.steps = steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.right = 0, int(self.np_random.integers(2))
        return np.array([2 * self.right - 1, 0], np.float32), {}

    def step(self, action):
        self.t += 1
        is_over = self.t == self.steps
        reward = float(is_over and int(action) == self.right)
        asked = float(self.t == self.steps - 1)
        return np.array([0, asked], np.float32), reward, is_over, False, {}


def side_by_side(
    make: Callable[[], gym.Env], count: int, mode: str = "NextStep"
) -> gym.vector.VectorEnv:
    return SyncVectorEnv([make] * count, autoreset_mode=AutoresetMode(mode))


def counting(count: int, mode: str = "NextStep", **options) -> gym.vector.VectorEnv:
    return side_by_side(partial(Counting, **options), count, mode)
