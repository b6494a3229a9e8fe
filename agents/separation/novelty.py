"""The reward of the Novelty agent: places are worth less the more often they were visited."""

from typing import Any

import gymnasium as gym
import numpy as np


class NoveltyReward(gym.vector.VectorWrapper):
    """Rewards 1 / sqrt(n) for being at a node for the n-th time in an episode.

    For environments that begin an episode in the step that ends the one before ("SameStep").
    Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022,
    supplement; Bellemare et al., "Unifying Count-Based Exploration and Intrinsic Motivation",
    NeurIPS 2016.
    """

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        mask = (arguments.get("options") or {}).get("reset_mask")  # which some take out of it
        observation, infos = self.env.reset(**arguments)
        begun = np.ones(self.num_envs, bool) if mask is None else mask
        if mask is None:
            self._visits: list[dict[int, int]] = [{} for _ in range(self.num_envs)]
        self._begin(begun, infos["node"])
        return observation, infos

    def step(self, actions: Any) -> tuple[Any, ...]:
        observation, _, terminated, truncated, infos = self.env.step(actions)
        ended = terminated | truncated
        nodes = np.array(infos["node"])
        if ended.any():
            nodes[ended] = infos["final_info"]["node"][ended]
        rewards = np.array([self._visited(i, int(node)) for i, node in enumerate(nodes)])
        if ended.any():
            self._begin(ended, infos["node"])
        return observation, rewards, terminated, truncated, infos

    def _begin(self, begun: np.ndarray, nodes: np.ndarray) -> None:
        for i in np.flatnonzero(begun):
            self._visits[i] = {}
            self._visited(i, int(nodes[i]))

    def _visited(self, i: int, node: int) -> float:
        """The reward for one more visit."""
        count = self._visits[i].get(node, 0) + 1
        self._visits[i][node] = count
        return count**-0.5
