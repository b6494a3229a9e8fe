"""Environments side by side: stepped in threads, started anew when their episodes are over."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from av_envs.acoustics.tracing import available_cores


class Played(NamedTuple):
    """What one environment returned, and for SAME_STEP what the episode ended with.

    final  observation and info of the last step where an episode ended; the others are then
           those of the next episode
    """

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    final: tuple[Any, dict[str, Any]] | None = None

    @property
    def is_over(self) -> bool:
        return self.terminated or self.truncated


class SideBySide:
    """N environments with the methods `reset` and `step` of Gymnasium, played at once.

    Each has its own random numbers, so that it does what it does alone. Environments compute
    mostly in kernels that leave the interpreter free; therefore threads help.

    mode     when the next episode begins, see `gymnasium.vector.AutoresetMode`
    workers  threads at most; None: one per core
    waiting  (N,) bool, whose episode is over: the next step or a reset starts another
    """

    def __init__(self, envs: Sequence, mode: str | AutoresetMode, workers: int | None = None):
        self.envs = list(envs)
        self.mode = AutoresetMode(mode)
        wanted = available_cores() if workers is None else checked_count("workers", workers)
        self.workers = min(wanted, len(self.envs))
        self.latest: list[Played | None] = [None] * len(self.envs)
        self.waiting = np.zeros(len(self.envs), bool)

    def reset(
        self, seed: int | Sequence[int | None] | None, options: Mapping[str, Any] | None
    ) -> np.ndarray:
        """Start episodes; `latest` then holds them. Returns (N,) bool, which were started.

        seed     of the first environment, the others count on from there; or one for each
        options  those of the environments; "reset_mask" (N,) bool picks who starts
        """
        seeds = _seeds(seed, len(self.envs))
        options = None if options is None else dict(options)
        started = self._mask(options)

        def start(i: int) -> None:
            observation, info = self.envs[i].reset(seed=seeds[i], options=options)
            self.latest[i] = Played(observation, 0.0, False, False, info)

        in_threads(start, np.flatnonzero(started).tolist(), self.workers)
        self.waiting[started] = False
        return started

    def step(self, actions: Sequence) -> None:
        """One step of every environment; `latest` then holds what they returned."""
        if None in self.latest:
            raise ResetNeeded("call reset() first")
        if self.mode is AutoresetMode.DISABLED and self.waiting.any():
            over = np.flatnonzero(self.waiting).tolist()
            raise ResetNeeded(f"the episodes of {over} are over; reset them with a 'reset_mask'")
        self.latest = in_threads(
            lambda i: self._play(i, actions[i]), range(len(self.envs)), self.workers
        )
        if self.mode is not AutoresetMode.SAME_STEP:
            self.waiting = np.array([played.is_over for played in self.latest])

    def _play(self, i: int, action: Any) -> Played:
        env = self.envs[i]
        if self.waiting[i]:
            observation, info = env.reset()
            return Played(observation, 0.0, False, False, info)
        played = Played(*env.step(action))
        if played.is_over and self.mode is AutoresetMode.SAME_STEP:
            observation, info = env.reset()
            final = played.observation, played.info
            return played._replace(observation=observation, info=info, final=final)
        return played

    def _mask(self, options: dict[str, Any] | None) -> np.ndarray:
        """Takes the mask out of the options; without one everybody starts."""
        everybody = np.ones(len(self.envs), bool)
        if options is None or "reset_mask" not in options:
            return everybody
        mask = options.pop("reset_mask")
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"reset_mask must be a numpy array of bool, got {mask!r}")
        if mask.shape != everybody.shape:
            raise ValueError(f"reset_mask must have shape {everybody.shape}, got {mask.shape}")
        if not mask.any():
            raise ValueError("reset_mask must pick at least one environment")
        if None in self.latest and not mask.all():
            raise ResetNeeded("the first reset() must start all environments")
        return mask.copy()

    def rewards(self) -> np.ndarray:
        """(N,) float64"""
        return np.array([played.reward for played in self.latest], np.float64)

    def terminated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([played.terminated for played in self.latest], np.bool_)

    def truncated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([played.truncated for played in self.latest], np.bool_)


def checked_count(name: str, count: int) -> int:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, got {count!r}")
    return int(count)


def _seeds(seed: int | Sequence[int | None] | None, count: int) -> list[int | None]:
    if seed is None:
        return [None] * count
    if isinstance(seed, Integral):
        return [int(seed) + i for i in range(count)]
    seeds = list(seed)
    if len(seeds) != count:
        raise ValueError(f"there must be {count} seeds, one per environment, got {len(seeds)}")
    return seeds


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


def submit_predictions(envs: Sequence, rirs: np.ndarray, waiting: np.ndarray) -> None:
    """Hand in responses (N, P, 2, 16000), but for environments that wait for a reset."""
    if len(rirs) != len(envs):
        raise ValueError(f"predictions must be those of {len(envs)} teams, got {len(rirs)}")
    for env, predicted, is_waiting in zip(envs, rirs, waiting, strict=True):
        if not is_waiting:
            env.submit_prediction(predicted)


def stacked_infos(infos: Sequence[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Arrays (N, ...) with masks (N,) under `_key`, as Gymnasium's vector environments make them.

    infos  of the environments; None where there is nothing to say
    """
    keys = dict.fromkeys(key for info in infos if info is not None for key in info)
    stacked = {}
    for key in keys:
        has = np.array([info is not None and key in info for info in infos])
        values = [info[key] if told else None for info, told in zip(infos, has, strict=True)]
        stacked[key], stacked[f"_{key}"] = _column(values, has), has
    return stacked


def _column(values: list, has: np.ndarray) -> np.ndarray | dict[str, Any]:
    """Numbers and arrays as one array, zero where there are none; dicts key by key."""
    first = values[int(has.argmax())]
    if isinstance(first, Mapping):
        return stacked_infos(values)
    if isinstance(first, np.ndarray | np.number):
        column = np.zeros((len(values), *first.shape), first.dtype)
    else:
        column = np.full(len(values), None, object)
    for i in np.flatnonzero(has):
        column[i] = values[i]
    return column
