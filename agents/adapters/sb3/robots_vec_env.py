"""Every robot of every team as an environment of Stable-Baselines3: one policy for all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from av_envs.agents.adapters.sb3.vec_env import NativeVecEnv


class RobotsVecEnv(VecEnv):
    """N teams of R robots as N R environments; the robots of the first team come first.

    venv  a batch of the team as one agent (`AVRIRMeasure-v0` and its kin), which was made with
          `autoreset_mode="SameStep"`

    Each robot observes what it does in the PettingZoo environment, and is rewarded as its
    team is. The infos are those of the team.
    """

    def __init__(self, venv: VectorEnv):
        self.teams = NativeVecEnv(venv)
        moves = venv.single_action_space
        if not isinstance(moves, spaces.MultiDiscrete) or len(set(moves.nvec)) > 1:
            raise ValueError(f"the actions must be the same choice for every robot, got {moves}")
        self.robots = len(moves.nvec)
        seen = {
            key: spaces.Box(space.low[0], space.high[0], dtype=space.dtype)
            for key, space in venv.single_observation_space.items()
        }
        choice = spaces.Discrete(int(moves.nvec[0]))
        super().__init__(venv.num_envs * self.robots, spaces.Dict(seen), choice)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """At the next reset the teams count on from `seed`; the robots of one share theirs."""
        self._seeds = list(np.repeat(self.teams.seed(seed), self.robots))
        return self._seeds

    def set_options(self, options: list[dict] | dict | None = None) -> None:
        self.teams.set_options(options)

    def reset(self) -> dict[str, np.ndarray]:
        observations = self.teams.reset()
        self.reset_infos = self._each(self.teams.reset_infos)
        return _apart(observations)

    def step_async(self, actions: np.ndarray) -> None:
        self.teams.step_async(actions.reshape(-1, self.robots))

    def step_wait(self):
        """As `NativeVecEnv.step_wait`, robot by robot."""
        observations, rewards, dones, infos = self.teams.step_wait()
        self.reset_infos = self._each(self.teams.reset_infos)
        rows = [dict(info) for info in self._each(infos)]
        for i in range(self.num_envs):
            last = rows[i].get("terminal_observation")
            if last is not None:
                robot = i % self.robots
                rows[i]["terminal_observation"] = {key: row[robot] for key, row in last.items()}
        return _apart(observations), *(np.repeat(x, self.robots) for x in (rewards, dones)), rows

    def close(self) -> None:
        self.teams.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        """One picture of each team."""
        return self.teams.get_images()

    def has_attr(self, attr_name: str) -> bool:
        return self.teams.has_attr(attr_name)

    def get_attr(self, attr_name: str, indices=None) -> list[Any]:
        """An attribute of each robot's team."""
        found = self._each(self.teams.get_attr(attr_name))
        return [found[i] for i in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices=None) -> None:
        self.teams.set_attr(attr_name, value)

    def env_method(self, method_name: str, *method_args, indices=None, **method_kwargs) -> list:
        """What a method of each robot's team returns; of `action_masks`, the robot's own part."""
        found = self.teams.env_method(method_name, *method_args, **method_kwargs)
        if method_name == "action_masks":
            found = list(np.reshape(found, (self.num_envs, -1)))
        else:
            found = self._each(found)
        return [found[i] for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class, indices=None) -> list[bool]:
        wrapped = self._each(self.teams.env_is_wrapped(wrapper_class))
        return [wrapped[i] for i in self._get_indices(indices)]

    def _each(self, of_teams: Sequence) -> list:
        """For every robot what its team has."""
        return [one for one in of_teams for _ in range(self.robots)]


def _apart(observations: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(N R, ...) arrays of (N, R, ...) ones."""
    return {key: rows.reshape(-1, *rows.shape[2:]) for key, rows in observations.items()}
