"""Environments side by side: stepped in threads, started anew when their episodes are over."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from av_envs.acoustics.tracing.cpu import available_cores
from av_envs.vector.base import check_may_step, checked_count, in_threads, seeds_of, taken_mask


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
        seeds = seeds_of(seed, len(self.envs))
        options = dict(options or {})
        started = taken_mask(options, len(self.envs), None in self.latest)

        def start(i: int) -> None:
            observation, info = self.envs[i].reset(seed=seeds[i], options=options)
            self.latest[i] = Played(observation, 0.0, False, False, info)

        in_threads(start, np.flatnonzero(started).tolist(), self.workers)
        self.waiting[started] = False
        return started

    def step(self, actions: Sequence) -> None:
        """One step of every environment; `latest` then holds what they returned."""
        check_may_step(None if None in self.latest else self.waiting, self.mode)
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

    def rewards(self) -> np.ndarray:
        """(N,) float64"""
        return np.array([played.reward for played in self.latest], np.float64)

    def terminated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([played.terminated for played in self.latest], np.bool_)

    def truncated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([played.truncated for played in self.latest], np.bool_)


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
