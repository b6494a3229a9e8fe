"""A policy trained with Stable-Baselines3 as an agent of `av_envs.benchmarks.run`."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import get_device, set_random_seed
from stable_baselines3.common.vec_env import VecTransposeImage

from av_envs.agents.adapters.sb3.algorithms import ALGORITHMS, algorithm_class
from av_envs.agents.adapters.sb3.downsample import downsampled, downsampled_space
from av_envs.agents.adapters.sb3.privileged_obs import TOLD, told, told_space
from av_envs.agents.adapters.sb3.weights import SUFFIX, load_policy
from av_envs.agents.ego_map import SPACE, EgoMap
from av_envs.paths import suffix_of, user_path

MADE = ("told", "footprints")  # observations that the environments do not make


class SB3Agent:
    """Plays what `model.save(checkpoint)` has written; recurrent policies keep their memory.

    checkpoint     path of the file. It may hold pickled code: load only what you trust; one that
                   ends in .safetensors, from `weights.save_policy`, holds none
    algorithm      a key of ALGORITHMS: the class that has saved it. A .safetensors knows its own
    deterministic  whether the likeliest action is taken; else one is drawn
    predictor      of the measuring task, see `av_envs.benchmarks.play.agents.Agent`
    device         of torch, for either kind of file; "auto" is a GPU where there is one

    A policy of one robot plays every robot of a team that has the same observations. A policy
    may know fewer observations than there are, downsampled ones, and those that `PreprocessVecEnv`
    adds; one that is told where the target is declares that it is privileged.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space,
        *,
        seed: int,
        checkpoint: str | os.PathLike[str],
        algorithm: str = "PPO",
        deterministic: bool = True,
        predictor: str | None = None,
        device: str = "cpu",
    ):
        if algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm {algorithm!r} does not exist; choose {list(ALGORITHMS)}")
        checkpoint = str(user_path(checkpoint, "checkpoint"))
        if suffix_of(checkpoint) == SUFFIX:
            self.model = self._built(checkpoint, observation_space, action_space)
            self.model.to(get_device(device))
            self.card = {"name": Path(checkpoint).stem}
        else:
            self.model = load_saved(algorithm, checkpoint, device=device)
            self.card = {"name": f"SB3 {algorithm}"}
        set_random_seed(seed)
        self.predictor = predictor
        self._deterministic = deterministic
        self._is_masked = ALGORITHMS[algorithm].masked
        self._plays_a_team = isinstance(action_space, spaces.MultiDiscrete) and isinstance(
            self.model.action_space, spaces.Discrete
        )
        self._keys = tuple(self.model.observation_space.spaces)
        self.privileged = TOLD if "told" in self._keys else ()
        self._robots = len(action_space.nvec) if self._plays_a_team else 1
        self._map = EgoMap(1, self._robots)
        self._downsamples = False
        self._check_spaces(observation_space, action_space)
        if self._is_masked and "action_mask" not in observation_space.spaces:
            raise ValueError(f"{algorithm} needs 'action_mask' among the observations")
        self._is_start, self._state = True, None

    def reset(self, *, seed: int | None = None) -> None:
        """Forget the episode before."""
        if seed is not None:
            set_random_seed(seed % 2**32)
        self._is_start, self._state = True, None

    def act(
        self, observation: dict[str, Any], privileged: dict[str, Any] | None = None
    ) -> np.ndarray | int:
        """The policy's action; `privileged` has the keys that the agent declares."""
        options = {}
        if self._is_masked:
            mask = observation["action_mask"].astype(bool)
            options["action_masks"] = mask if self._plays_a_team else mask.ravel()
        else:
            options["episode_start"] = np.full(self._robots, self._is_start)
            options["state"] = self._state
        action, self._state = self.model.predict(
            self._prepared(observation, privileged), deterministic=self._deterministic, **options
        )
        self._is_start = False
        return action if action.ndim else int(action)

    def _prepared(
        self, observation: dict[str, Any], privileged: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What the policy knows of an observation, in the form it was trained on."""
        known = downsampled(observation) if self._downsamples else dict(observation)
        if "told" in self._keys:
            known["told"] = told(privileged)
        if "footprints" in self._keys:
            known["footprints"] = self._map.drawn(observation, np.array([self._is_start]))
        return {key: known[key] for key in self._keys}

    @staticmethod
    def _built(
        checkpoint: str, observation_space: spaces.Dict, action_space: spaces.Space
    ) -> BasePolicy:
        if isinstance(action_space, spaces.MultiDiscrete):
            observation_space = _of_each(observation_space)
            action_space = spaces.Discrete(int(action_space.nvec[0]))
        made = {"told": told_space(), "footprints": SPACE}
        return load_policy(checkpoint, observation_space, made, action_space)

    def _check_spaces(self, observation_space: spaces.Dict, action_space: spaces.Space) -> None:
        """The policy must have been trained on what it is going to meet."""
        known, met = self.model.observation_space, observation_space
        if self._plays_a_team:
            met = _of_each(met)
            same_actions = (action_space.nvec == self.model.action_space.n).all()
        else:
            same_actions = action_space == self.model.action_space
        made = {key: known[key] for key in known if key in MADE}
        forms = [_part(space, made, known) for space in (met, _turned(met), downsampled_space(met))]
        if known not in forms:
            raise ValueError(f"the policy was trained on {known}, here observations are {met}")
        self._downsamples = known not in forms[:2]
        if not same_actions:
            raise ValueError(
                f"the policy was trained for {self.model.action_space}, here actions are "
                f"{action_space}"
            )


def load_saved(algorithm: str, path: str | Path, **options: Any) -> BaseAlgorithm:
    """What `model.save(path)` has written. Raises ValueError with the name of a damaged file.

    algorithm  a key of ALGORITHMS
    options    of the algorithm's `load`
    """
    try:
        return algorithm_class(algorithm).load(path, **options)
    except FileNotFoundError:  # which names it
        raise
    except Exception as error:  # of zip files, pickles, torch and Stable-Baselines3
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} holds no model of {algorithm} ({reason})") from error


def _of_each(space: spaces.Dict) -> spaces.Dict:
    """The space of one robot out of that of a team."""
    return spaces.Dict(
        {key: spaces.Box(own.low[0], own.high[0], dtype=own.dtype) for key, own in space.items()}
    )


def _part(space: spaces.Dict, made: dict[str, spaces.Space], known: spaces.Dict) -> spaces.Dict:
    """The keys of `known`, of a space and of what is made from it."""
    every = {**space.spaces, **made}
    return spaces.Dict({key: own for key, own in every.items() if key in known.spaces})


def _turned(space: spaces.Dict) -> spaces.Dict:
    """With pictures as Stable-Baselines3 turns them for a policy."""
    rgb = space.spaces.get("rgb")
    if rgb is None or len(rgb.shape) != 3:
        return space
    return spaces.Dict({**space.spaces, "rgb": VecTransposeImage.transpose_space(rgb)})
