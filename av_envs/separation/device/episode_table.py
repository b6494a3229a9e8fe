"""What chance has decided about the episodes that are played, in tensors on the device."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.prefetch import PreparedEpisode

FACTS = ("house", "label", "start_place", "start_heading", "n_nodes")


class EpisodeTable:
    """One row per environment.

    facts          (N, 5) int64, columns as in FACTS
    source_places  (N, S) int64, the target first
    source_nodes   (N, S) int64
    rows           (N, S, k) int64, pages of the responses from each source
    seconds        (N, S, L) int64, pages of what each source plays: in the second before the
                   episode, and in each of its seconds

    Static sources have one second only, which is also the one before.
    """

    def __init__(self, config: SeparationConfig, num_envs: int, device: torch.device):
        self._dynamic, self._device = config.dynamic, device
        n_seconds = config.steps + 2 if config.dynamic else 1
        shape = num_envs, config.num_sources
        self.facts = self._zeros(num_envs, len(FACTS))
        self.source_places, self.source_nodes = self._zeros(*shape), self._zeros(*shape)
        self.rows, self.seconds = self._zeros(*shape, 1), self._zeros(*shape, n_seconds)

    def fact(self, name: str) -> Tensor:
        """(N,) int64."""
        return self.facts[:, FACTS.index(name)]

    def write(self, begun: Tensor, prepared: Sequence[PreparedEpisode]) -> None:
        """Take in new episodes.

        begun  (n,) int64, of which environments
        """
        width = max(one.loaded.rows.shape[1] for one in prepared)
        if width > self.rows.shape[2]:
            more = self._zeros(*self.rows.shape[:2], width - self.rows.shape[2])
            self.rows = torch.cat([self.rows, more], 2)
        for table, rows in (
            (self.facts, [_facts(one) for one in prepared]),
            (self.source_places, [one.loaded.places[one.episode.source_nodes] for one in prepared]),
            (self.source_nodes, [one.episode.source_nodes for one in prepared]),
            (self.rows, [_widened(one.loaded.rows, self.rows.shape[2]) for one in prepared]),
            (self.seconds, [self._seconds(one) for one in prepared]),
        ):
            table[begun] = on_device(np.stack(rows), self._device)

    def windows(self, rows: slice | Tensor, t: Tensor) -> Tensor:
        """(R, S, 2) int64, pages of the second before and of second `t` (R,)."""
        seconds = self.seconds[rows]
        if not self._dynamic:
            return seconds.expand(-1, -1, 2)
        k = torch.stack([t, t + 1], 1)[:, None].expand(-1, seconds.shape[1], -1)
        return seconds.gather(2, k)

    def _seconds(self, prepared: PreparedEpisode) -> np.ndarray:
        """(S, L)."""
        n_seconds = self.seconds.shape[2]
        rows = []
        for sound, pages in zip(prepared.episode.sounds, prepared.loaded.clips, strict=True):
            first = sound.first_second - self._dynamic
            rows.append(pages[(first + np.arange(n_seconds)) % len(pages)])
        return np.stack(rows)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int64, device=self._device)


def on_device(values: np.ndarray, device: torch.device) -> Tensor:
    """A copy on the device, made without waiting for it."""
    tensor = torch.from_numpy(values)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device, copy=True)


def _facts(prepared: PreparedEpisode) -> np.ndarray:
    episode, places = prepared.episode, prepared.loaded.places
    start = places[episode.start_node]
    label = episode.sounds[0].label
    return np.array([prepared.house, label, start, episode.start_heading, len(places)], np.int64)


def _widened(rows: np.ndarray, width: int) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
