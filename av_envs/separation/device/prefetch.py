"""The next episode of each environment: drawn and loaded while the current one is played."""

import copy
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.utils import seeding

from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.asset_cache import AssetCache, LoadedEpisode, NoMemoryError
from av_envs.separation.device.task_queue import TaskQueue
from av_envs.separation.episode import Episode, draw_in_pool
from av_envs.sound import Corpus
from av_envs.vector.autoreset import Start
from av_envs.worlds.base import Dwelling


@dataclass
class PreparedEpisode:
    """An episode that is ready to begin.

    rng     random numbers of its environment, after it was drawn
    loaded  what of it is on the device; None if there was no room yet
    """

    rng: np.random.Generator
    house: int
    dwelling: Dwelling
    episode: Episode
    loaded: LoadedEpisode | None


class EpisodePrefetcher:
    """Draws episodes as single environments do, each from its own random numbers.

    One thread draws and loads; the random numbers of an environment move on only when an
    episode begins, so that drawing ahead changes no number.
    """

    def __init__(self, config: SeparationConfig, corpus: Corpus, store: AssetCache, num_envs: int):
        self._config, self._corpus, self._store = config, corpus, store
        self._device = store.pages.data.device
        on_gpu = self._device.type == "cuda"
        self._stream = torch.cuda.current_stream(self._device) if on_gpu else None
        self._rngs: list[np.random.Generator | None] = [None] * num_envs
        self.seeds: list[int | None] = [None] * num_envs
        self._current: list[PreparedEpisode | None] = [None] * num_envs
        self._next: list[Future | None] = [None] * num_envs
        self._queue = TaskQueue("av-envs-ahead")
        self.close = self._queue.close

    def rng(self, i: int) -> np.random.Generator:
        """The random numbers of an environment."""
        if self._rngs[i] is None:
            self._rngs[i], self.seeds[i] = seeding.np_random(None)
        return self._rngs[i]

    def begin(self, begun: Mapping[int, Start]) -> list[PreparedEpisode]:
        """The next episodes of some environments, which end those they played."""
        for i, (seed, options) in begun.items():
            if seed is not None:
                self._rngs[i], self.seeds[i] = seeding.np_random(seed)
            if seed is not None or options:
                self._forget_next(i)
            if self._next[i] is None:
                self._next[i] = self._submit(i, options)
        for i in begun:
            if self._current[i] is not None:
                self._release(self._current[i])
                self._current[i] = None
        for i in begun:
            prepared = self._next[i].result()
            self._next[i] = None
            self._current[i], self._rngs[i] = prepared, prepared.rng
        for i in begun:
            if self._current[i].loaded is None:
                self._load_now(self._current[i])
        for i in begun:
            self._next[i] = self._submit(i, {})
        return [self._current[i] for i in begun]

    def _submit(self, i: int, options: dict) -> Future:
        return self._queue.submit(self._prepared, copy.deepcopy(self.rng(i)), options)

    def _prepared(self, rng: np.random.Generator, options: dict) -> PreparedEpisode:
        house, dwelling, episode = draw_in_pool(self._config, options, self._corpus, rng)
        prepared = PreparedEpisode(rng, house, dwelling, episode, None)
        try:
            self._load(prepared)
        except NoMemoryError:
            prepared.loaded = None  # when it begins, others have ended
        return prepared

    def _load(self, prepared: PreparedEpisode) -> None:
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            prepared.loaded = self._store.load(prepared.house, prepared.dwelling, prepared.episode)

    def _load_now(self, prepared: PreparedEpisode) -> None:
        """Load what found no room before; what is only needed later makes way."""
        try:
            self._queue.submit(self._load, prepared, urgent=True).result()
        except NoMemoryError:
            for i in range(len(self._next)):
                self._forget_next(i)
            self._queue.submit(self._load, prepared, urgent=True).result()

    def _forget_next(self, i: int) -> None:
        future, self._next[i] = self._next[i], None
        if future is not None and not future.cancel():
            future.add_done_callback(self._release_result)

    def _release_result(self, future: Future) -> None:
        if future.exception() is None:
            self._release(future.result())

    def _release(self, prepared: PreparedEpisode) -> None:
        if prepared.loaded is not None:
            self._store.release(prepared.loaded.keys)
            prepared.loaded = None
