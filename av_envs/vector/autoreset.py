"""One driver for all vector environments: which episodes begin, which move, which are over.

A vector environment on the host hands its own `play` to `Autoreset.reset` and `Autoreset.step`:

    play(begin: dict[int, Start], move: dict[int, action]) -> dict[int, Played]

starts episodes in some environments, takes one step in others, all at once and in any order,
and returns what each of them returned. If it raises, the driver's state stays what it was.

An environment whose rewards and infos lie on a device cannot return a `Played` per environment
without waiting for the device. It follows the same modes through the four methods beneath,
which look at numbers of the host only:

    begin = autoreset.of_reset(seed, options)  # in reset: start these, then
    autoreset.began(begin)

    begin = autoreset.due()                    # in step: start these, move the others, then
    autoreset.moved(begin)                     # say so; those that ran into the limit are over
    again = autoreset.due_at_once()            # with SAME_STEP start these, too, then
    autoreset.began(again)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from av_envs.options import checked_count
from av_envs.vector.infos import stacked_finals, stacked_infos
from av_envs.vector.seeding import seeds_of, taken_mask


class Start(NamedTuple):
    """How one environment begins an episode.

    seed     of its random numbers; None: they go on
    options  those of `reset`, without "reset_mask"
    """

    seed: int | None
    options: dict[str, Any]


class Played(NamedTuple):
    """What one environment returned; after `reset` the reward is 0 and nothing is over.

    observation  an array or (nested) dict of them; may be views that the next episode overwrites
    """

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: Mapping[str, Any]


Play = Callable[[dict[int, Start], dict[int, Any]], dict[int, Played]]


class Transition(NamedTuple):
    """One step of N environments.

    played  N; where an episode ended with SAME_STEP, observation and info are those of the next
    finals  of such episodes the observation, a copy, and the info of the last step
    """

    played: list[Played]
    finals: dict[int, tuple[Any, Mapping[str, Any]]]

    def rewards(self) -> np.ndarray:
        """(N,) float64"""
        return np.array([one.reward for one in self.played], np.float64)

    def terminated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([one.terminated for one in self.played], np.bool_)

    def truncated(self) -> np.ndarray:
        """(N,) bool"""
        return np.array([one.truncated for one in self.played], np.bool_)

    def infos(self) -> dict[str, Any]:
        """As Gymnasium's vector environments return them, see `stacked_infos`."""
        told = {i: one.info for i, one in enumerate(self.played)}
        count = len(self.played)
        return stacked_infos(told, count) | stacked_finals(self.finals, count)


class Autoreset:
    """The episodes of N environments, see the module.

    mode     when the next episode begins, see `gymnasium.vector.AutoresetMode`
    limit    steps after which an episode is truncated; None: its environment knows
    elapsed  (N,) int64, steps of each episode so far
    is_over  (N,) bool, the next step or a reset must begin an episode; None: no reset yet
    """

    def __init__(self, count: int, mode: str | AutoresetMode, limit: int | None = None):
        self.count, self.mode = count, AutoresetMode(mode)
        self.limit = None if limit is None else checked_count("max_episode_steps", limit)
        self.elapsed = np.zeros(count, np.int64)
        self.is_over: np.ndarray | None = None

    def reset(
        self,
        seed: int | Sequence[int | None] | None,
        options: Mapping[str, Any] | None,
        play: Play,
    ) -> dict[int, Played]:
        """Begin episodes, see `of_reset`; what those environments returned."""
        begin = self.of_reset(seed, options)
        played = play(begin, {})
        self.began(begin)
        return played

    def step(self, actions: Sequence, play: Play) -> Transition:
        """One step of every environment; actions (N,) of those that begin are ignored."""
        begin = self.due()
        move = {i: action for i, action in enumerate(actions) if i not in begin}
        by_number = play(begin, move)
        played = [by_number[i] for i in range(self.count)]
        self.moved(begin, np.array([one.terminated or one.truncated for one in played]))
        for i in np.flatnonzero(self.timed_out):
            played[i] = played[i]._replace(truncated=True)
        again = self.due_at_once()
        finals = {i: (_copied(played[i].observation), played[i].info) for i in again}
        if again:
            for i, first in play(again, {}).items():
                played[i] = played[i]._replace(observation=first.observation, info=first.info)
            self.began(again)
        return Transition(played, finals)

    def of_reset(
        self, seed: int | Sequence[int | None] | None, options: Mapping[str, Any] | None
    ) -> dict[int, Start]:
        """The environments that a reset begins.

        seed     of the first environment, the others count on from there; or one for each
        options  those of the environments; "reset_mask" (N,) bool picks those that begin
        """
        seeds, options = seeds_of(seed, self.count), dict(options or {})
        mask = taken_mask(options, self.count, self.is_over is None)
        return {i: Start(seeds[i], options) for i in np.flatnonzero(mask).tolist()}

    def due(self) -> dict[int, Start]:
        """The environments that the next step begins instead of moving.

        Raises ResetNeeded before the first reset, and with DISABLED while an episode is over.
        """
        check_may_step(self.is_over, self.mode)
        return self._starts()

    def due_at_once(self) -> dict[int, Start]:
        """The environments that begin in the step that ended them: none but with SAME_STEP."""
        return self._starts() if self.mode is AutoresetMode.SAME_STEP else {}

    def began(self, begin: Mapping[int, Start]) -> None:
        """Note that these are at the start of an episode."""
        rows = list(begin)
        is_over = np.zeros(self.count, bool) if self.is_over is None else self.is_over.copy()
        is_over[rows], self.elapsed[rows] = False, 0
        self.is_over = is_over

    def moved(self, begin: Mapping[int, Start], ended: np.ndarray | None = None) -> None:
        """Note a step in which these began and the others moved.

        ended  (N,) bool, episodes that ended by themselves; None: no episode
        """
        self.elapsed += 1
        self.began(begin)
        self.is_over = self.timed_out if ended is None else self.timed_out | ended

    @property
    def timed_out(self) -> np.ndarray:
        """(N,) bool, episodes at the limit."""
        if self.limit is None:
            return np.zeros(self.count, bool)
        return self.elapsed >= self.limit

    def _starts(self) -> dict[int, Start]:
        return {i: Start(None, {}) for i in np.flatnonzero(self.is_over).tolist()}


def check_may_step(is_over: np.ndarray | None, mode: AutoresetMode) -> None:
    """Raise ResetNeeded before the first reset, or where the mode leaves resets to the caller.

    is_over  (N,) bool, a reset is due; None: of all
    """
    if is_over is None:
        raise ResetNeeded("call reset() before the first step")
    if mode is AutoresetMode.DISABLED and is_over.any():
        raise ResetNeeded(
            f"the episodes {np.flatnonzero(is_over).tolist()} are over; "
            "reset them with a reset_mask"
        )


def _copied(observation: Any) -> Any:
    if isinstance(observation, Mapping):
        return {key: _copied(value) for key, value in observation.items()}
    return np.array(observation)[()]
