"""Gymnasium's vector environments as Stable-Baselines3 wants them."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

FINAL = {"final_obs", "_final_obs", "final_info", "_final_info"}


class NativeVecEnv(VecEnv):
    """A `gymnasium.vector.VectorEnv` as a `VecEnv`; Stable-Baselines3 takes no other.

    venv  starts episodes anew within the step that ends them, that is, was made with
          `autoreset_mode="SameStep"`

    An episode's last observation is `info["terminal_observation"]`, and
    `info["TimeLimit.truncated"]` says whether only the time was up, so that algorithms
    bootstrap. Wrap the result in a `VecMonitor` to see returns.
    """

    def __init__(self, venv: VectorEnv):
        if not isinstance(venv, VectorEnv):
            raise TypeError(f"a gymnasium.vector.VectorEnv is needed, got {type(venv).__name__}")
        mode = venv.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise ValueError(
                f"the environment resets with {mode}, Stable-Baselines3 needs "
                'AutoresetMode.SAME_STEP: gymnasium.make_vec(..., autoreset_mode="SameStep"), '
                'or vector_kwargs={"autoreset_mode": "SameStep"} with vectorization_mode="sync"'
            )
        self.venv = venv
        self._actions: np.ndarray | None = None
        super().__init__(venv.num_envs, venv.single_observation_space, venv.single_action_space)

    def reset(self) -> dict[str, np.ndarray]:
        """The first observations of all episodes; their infos are in `reset_infos`."""
        seeds = None if set(self._seeds) == {None} else self._seeds
        if any(options != self._options[0] for options in self._options):
            raise ValueError(f"all environments must get the same options, got {self._options}")
        observations, infos = self.venv.reset(seed=seeds, options=self._options[0] or None)
        self.reset_infos = [_row(infos, i) for i in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self):
        """Observations, rewards float32, dones bool and one info dict per environment."""
        observations, rewards, terminated, truncated, infos = self.venv.step(self._actions)
        dones = terminated | truncated
        started = {key: value for key, value in infos.items() if key not in FINAL}
        rows = [_row(started, i) for i in range(self.num_envs)]
        for i in np.flatnonzero(dones):
            self.reset_infos[i] = rows[i]
            rows[i] = _row(infos["final_info"], i)
            rows[i]["terminal_observation"] = infos["final_obs"][i]
        for i, row in enumerate(rows):
            row["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return observations, rewards.astype(np.float32), dones, rows

    def close(self) -> None:
        self.venv.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        return self.venv.render()

    def has_attr(self, attr_name: str) -> bool:
        """Asks without calling, as `MaskablePPO` does to find out about `action_masks`."""
        if self._calls is None:
            return hasattr(self.venv, attr_name)
        return all(self._calls("has_wrapper_attr", attr_name))

    def get_attr(self, attr_name: str, indices=None) -> list[Any]:
        """An attribute of every environment; of the batch, if it has no single environments."""
        if attr_name == "render_mode":
            found = [self.venv.render_mode] * self.num_envs
        elif self._calls is None:
            found = [getattr(self.venv, attr_name)] * self.num_envs
        else:
            found = self._calls("get_wrapper_attr", attr_name)
        return [found[i] for i in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices=None) -> None:
        raise NotImplementedError(
            f"{attr_name!r}: the environments of a batch cannot be changed one by one; "
            "give options to gymnasium.make_vec"
        )

    def env_method(self, method_name: str, *method_args, indices=None, **method_kwargs) -> list:
        """What a method of every environment returns; of a batch, the rows of what it returns."""
        chosen = list(self._get_indices(indices))
        if chosen != list(range(self.num_envs)):
            raise NotImplementedError(f"{method_name}() is called on all environments or none")
        if self._calls is None:
            return list(getattr(self.venv, method_name)(*method_args, **method_kwargs))
        return list(self._calls(method_name, *method_args, **method_kwargs))

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices=None) -> list[bool]:
        """Whether each environment has that wrapper; those of a batch have none."""
        from stable_baselines3.common.env_util import is_wrapped

        envs = getattr(self.venv.unwrapped, "envs", [None] * self.num_envs)
        wrapped = [isinstance(env, gym.Env) and is_wrapped(env, wrapper_class) for env in envs]
        return [wrapped[i] for i in self._get_indices(indices)]

    @property
    def _calls(self) -> Callable | None:
        """Calls a method of all environments, where the batch consists of some."""
        return getattr(self.venv.unwrapped, "call", None)


def _row(infos: dict[str, Any], i: int) -> dict[str, Any]:
    """The info of environment i out of arrays with masks."""
    row = {}
    for key, values in infos.items():
        if f"_{key}" in infos and infos[f"_{key}"][i]:
            row[key] = _row(values, i) if isinstance(values, dict) else values[i]
    return row
