"""The environments of a vector environment: its spaces, attributes, pictures and pickles."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from av_envs.space_generators import generator_states, go_on

SPACES = "single_observation_space", "single_action_space", "observation_space", "action_space"


class Copies:
    """Beside `gymnasium.vector.VectorEnv`: brings the environments in `envs` within reach.

    It is no vector environment itself, since some libraries look at the direct bases only.
    """

    num_envs: int
    envs: Sequence[gym.Env]

    def take(
        self, envs: Sequence[gym.Env], render_mode: str | None, autoreset_mode: AutoresetMode
    ) -> None:
        """Be the vector environment of these: their spaces and pictures, and their number."""
        self.envs, self.num_envs = envs, len(envs)
        self.render_mode, self.autoreset_mode = render_mode, autoreset_mode
        self.metadata = {**envs[0].metadata, "autoreset_mode": autoreset_mode}
        self.take_spaces(envs[0])

    def take_spaces(self, env: gym.Env) -> None:
        """Have the spaces of that environment, and those of N like it."""
        self.single_observation_space = env.observation_space
        self.single_action_space = env.action_space
        self.observation_space = batch_space(env.observation_space, self.num_envs)
        self.action_space = batch_space(env.action_space, self.num_envs)

    def __getstate__(self) -> dict[str, Any]:
        """All but the spaces, which a copy makes anew."""
        state = {name: value for name, value in vars(self).items() if name not in SPACES}
        return {**state, "of_spaces": generator_states(self.observation_space, self.action_space)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        of_spaces = state.pop("of_spaces")
        vars(self).update(state)
        self.take_spaces(self.envs[0])
        go_on(of_spaces, self.observation_space, self.action_space)

    def render(self) -> tuple[np.ndarray | None, ...]:
        """A picture of each environment."""
        return self.call("render")

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What each environment's method returns, or its attribute of that name."""
        found = [getattr(env, name) for env in self.envs]
        return tuple(each(*args, **kwargs) if callable(each) else each for each in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """The attribute of that name of each environment."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Set an attribute of all environments: one value for all, or a list with one for each."""
        if not isinstance(values, list | tuple):
            values = [values] * self.num_envs
        if len(values) != self.num_envs:
            raise ValueError(f"{self.num_envs} environments need as many values, got {len(values)}")
        for env, value in zip(self.envs, values, strict=True):
            setattr(env, name, value)

    @property
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The random numbers of each environment."""
        return self.get_attr("np_random")

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:
        """The seed of each environment."""
        return self.get_attr("np_random_seed")
