"""An agent that separates, and again with hindsight, for the tests of suites that score it."""

import numpy as np


class Hindsight:
    """Stays, hands back what it hears, and says the same of all seconds at the end."""

    def __init__(self, observation_space, action_space, *, seed, fault=""):
        self.fault = fault

    def reset(self, *, seed=None):
        self.heard = []

    def act(self, observation):
        self.heard.append(np.expm1(observation["mixture"][0]))
        return {"move": np.int64(3), "estimate": self.heard[-1]}

    def refine(self, observation):
        every = np.stack([*self.heard, np.expm1(observation["mixture"][0])])
        return every[1:] if self.fault == "short" else every

    def refine_within(self, look_back):
        """Nothing with less than two seconds of hindsight."""
        every = np.stack([*self.heard, self.heard[-1]])
        return every if look_back >= 2 else np.zeros_like(every)
