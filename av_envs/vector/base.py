"""What native vector environments share: seeds, masks, threads, and a way to their copies."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from numbers import Integral
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
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


def checked_count(name: str, count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, got {count!r}")
    return int(count)


def seeds_of(seed: int | Sequence[int | None] | None, count: int) -> list[int | None]:
    """One seed per environment; a single number is that of the first, the others count on."""
    if seed is None:
        return [None] * count
    if _is_seed(seed):
        return [int(seed) + i for i in range(count)]
    if isinstance(seed, str) or not isinstance(seed, Sequence | np.ndarray):
        raise ValueError(f"seed must be a whole number from 0 on, or one of each, got {seed!r}")
    seeds = list(seed)
    if len(seeds) != count:
        raise ValueError(f"{count} environments need as many seeds, got {len(seeds)}")
    for one in seeds:
        if one is not None and not _is_seed(one):
            raise ValueError(f"a seed is a whole number from 0 on, or None, got {one!r}")
    return [one if one is None else int(one) for one in seeds]


def _is_seed(seed: Any) -> bool:
    return isinstance(seed, Integral) and not isinstance(seed, bool) and int(seed) >= 0


def shaped(given: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The actions of N environments as an array of this shape, or a ValueError about `what`."""
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{what} must have shape {shape}: {error}") from error
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {array.shape}")
    return array


def taken_mask(options: dict[str, Any], count: int, is_first: bool) -> np.ndarray:
    """(count,) bool, which episodes begin; takes "reset_mask" out of the options of `reset`.

    is_first  nobody has begun yet, so all must
    """
    if "reset_mask" not in options:
        return np.ones(count, bool)
    mask = options.pop("reset_mask")
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        raise TypeError(f"reset_mask must be a numpy array of bool, got {mask!r}")
    if mask.shape != (count,):
        raise ValueError(f"reset_mask must have shape ({count},), got {mask.shape}")
    if not mask.any():
        raise ValueError("reset_mask must choose at least one environment")
    if is_first and not mask.all():
        raise ResetNeeded("the first reset() must be of all environments")
    return mask.copy()


def check_may_step(is_over: np.ndarray | None, mode: AutoresetMode) -> None:
    """Raise ResetNeeded before the first reset, or where nobody else resets what is over.

    is_over  (N,) bool, a reset is due; None: of all
    """
    if is_over is None:
        raise ResetNeeded("call reset() before the first step")
    if mode is AutoresetMode.DISABLED and is_over.any():
        raise ResetNeeded(
            f"the episodes {np.flatnonzero(is_over).tolist()} are over; "
            "reset them with a reset_mask"
        )


_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


def in_threads(function: Callable, items: Iterable, workers: int) -> list:
    """`function` of every item; an error is raised when nobody is at work any more.

    These threads are not those of the tracer: one that waits for it would block it. They
    belong to this process, and a forked child makes its own. One worker is no thread at all.
    """
    if workers == 1:
        return [function(item) for item in items]
    key = (os.getpid(), workers)
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(workers, "av-envs")
    answers = [_pools[key].submit(function, item) for item in items]
    wait(answers)
    return [answer.result() for answer in answers]
