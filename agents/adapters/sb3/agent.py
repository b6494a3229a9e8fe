"""A policy trained with Stable-Baselines3 as an agent of `benchmarks.run`."""

from importlib import import_module
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecTransposeImage

ALGORITHMS = {
    "PPO": "stable_baselines3",
    "A2C": "stable_baselines3",
    "DQN": "stable_baselines3",
    "RecurrentPPO": "sb3_contrib",
    "MaskablePPO": "sb3_contrib",
    "QRDQN": "sb3_contrib",
    "TRPO": "sb3_contrib",
}
MASKED = ("MaskablePPO",)


class SB3Agent:
    """Plays what `model.save(checkpoint)` has written; recurrent policies keep their memory.

    checkpoint     path of the file. It may hold pickled code: load only what you trust
    algorithm      a key of ALGORITHMS: the class that has saved it
    deterministic  whether the likeliest action is taken; else one is drawn
    predictor      of the measuring task, see `benchmarks.agents.Agent`
    device         of torch

    A policy of one robot plays every robot of a team that has the same observations.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        checkpoint: str,
        algorithm: str = "PPO",
        deterministic: bool = True,
        predictor: str | None = None,
        device: str = "cpu",
    ):
        if algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm {algorithm!r} does not exist; choose {list(ALGORITHMS)}")
        self.model = self._load(algorithm, checkpoint, device)
        self.model.set_random_seed(seed)
        self.card = {"name": f"SB3 {algorithm}"}
        self.predictor = predictor
        self._deterministic = deterministic
        self._is_masked = algorithm in MASKED
        self._plays_a_team = isinstance(action_space, spaces.MultiDiscrete) and isinstance(
            self.model.action_space, spaces.Discrete
        )
        self._check_spaces(observation_space, action_space)
        if self._is_masked and "action_mask" not in observation_space.spaces:
            raise ValueError(f"{algorithm} needs 'action_mask' among the observations")
        self._is_start, self._state = True, None

    def reset(self, *, seed: int | None = None) -> None:
        """Forget the episode before."""
        if seed is not None:
            self.model.set_random_seed(seed % 2**32)
        self._is_start, self._state = True, None

    def act(self, observation: dict[str, Any]) -> np.ndarray | int:
        """The policy's action."""
        options = {}
        if self._is_masked:
            mask = observation["action_mask"].astype(bool)
            options["action_masks"] = mask if self._plays_a_team else mask.ravel()
        else:
            batch = len(next(iter(observation.values()))) if self._plays_a_team else 1
            options["episode_start"] = np.full(batch, self._is_start)
            options["state"] = self._state
        action, self._state = self.model.predict(
            observation, deterministic=self._deterministic, **options
        )
        self._is_start = False
        return action if action.ndim else int(action)

    @staticmethod
    def _load(algorithm: str, checkpoint: str, device: str) -> BaseAlgorithm:
        return getattr(import_module(ALGORITHMS[algorithm]), algorithm).load(
            checkpoint, device=device
        )

    def _check_spaces(self, observation_space: spaces.Dict, action_space: spaces.Space) -> None:
        """The policy must have been trained on what it is going to meet."""
        known, met = self.model.observation_space, observation_space
        if self._plays_a_team:
            met = spaces.Dict({key: _of_one(space) for key, space in met.items()})
            same_actions = (action_space.nvec == self.model.action_space.n).all()
        else:
            same_actions = action_space == self.model.action_space
        if known not in (met, _turned(met)):
            raise ValueError(f"the policy was trained on {known}, here observations are {met}")
        if not same_actions:
            raise ValueError(
                f"the policy was trained for {self.model.action_space}, here actions are "
                f"{action_space}"
            )


def _of_one(space: spaces.Space) -> spaces.Space:
    """The space of one robot out of that of a team."""
    return spaces.Box(space.low[0], space.high[0], dtype=space.dtype)


def _turned(space: spaces.Dict) -> spaces.Dict:
    """With pictures as Stable-Baselines3 turns them for a policy."""
    rgb = space.spaces.get("rgb")
    if rgb is None or len(rgb.shape) != 3:
        return space
    return spaces.Dict({**space.spaces, "rgb": VecTransposeImage.transpose_space(rgb)})
