"""Which houses and clips are on the device: loaded when an episode needs them, least recently
used out.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch

from av_envs.acoustics import TracedAcoustics
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE
from av_envs.separation.device.node_table import NodeTable
from av_envs.separation.device.page_pool import (
    PAGE_BYTES,
    PagePool,
    clip_pages,
    n_response_pages,
    response_pages,
    view_pages,
)
from av_envs.separation.episode import Episode
from av_envs.sound import Corpus
from av_envs.vision import ViewCache
from av_envs.worlds.base import Dwelling

GB = 1e9


class NoMemoryError(ValueError):
    """What the episodes need at the same time is more than `memory_gb`."""


class LoadedEpisode(NamedTuple):
    """What one episode uses, held for it until `AssetCache.release`.

    keys    houses and clips
    places  (N,) int64, of the nodes
    rows    (S, k) int64, pages of the responses from each source
    clips   the pages of each source's clip, one per second
    """

    keys: tuple[Hashable, ...]
    places: np.ndarray
    rows: np.ndarray
    clips: tuple[np.ndarray, ...]


@dataclass
class CachedAsset:
    """A house or a clip on the device.

    pages     of its views, or of its seconds
    rows      of a house: pages of the responses from each source that was needed so far
    n_users   episodes that use it now
    """

    pages: np.ndarray
    places: np.ndarray | None = None
    rows: dict[int, np.ndarray] = field(default_factory=dict)
    n_users: int = 0

    @property
    def n_pages(self) -> int:
        return self.pages.size + sum(pages.size for pages in self.rows.values())


class AssetCache:
    """Houses and clips in the memory of a device.

    n_pages     how much of it, in pages of 81,920 bytes
    with_views  whether pictures are kept; they are most of a house

    One thread loads, any thread releases.
    """

    def __init__(self, n_pages: int, device: torch.device, corpus: Corpus, with_views: bool):
        self.pages = PagePool(n_pages, device)
        self.places = NodeTable(device)
        self._corpus, self._with_views = corpus, with_views
        self._kept: OrderedDict[Hashable, CachedAsset] = (
            OrderedDict()
        )  # the least recently used first
        self._lock = Lock()

    def load(self, house: int, dwelling: Dwelling, episode: Episode) -> LoadedEpisode:
        """Bring to the device what an episode needs and hold it there; `NoMemoryError` if not."""
        held: list[Hashable] = []
        try:
            kept = self._held(("house", house), dwelling, held)
            rows = [self._row(kept, dwelling, int(source)) for source in episode.source_nodes]
            clips = [
                self._held(("clip", sound.clip), sound.clip, held).pages for sound in episode.sounds
            ]
        except BaseException:
            self.release(held)
            raise
        return LoadedEpisode(tuple(held), kept.places, np.stack(rows), tuple(clips))

    def release(self, keys: Iterable[Hashable]) -> None:
        """An episode is over."""
        with self._lock:
            for key in keys:
                self._kept[key].n_users -= 1

    def loaded(self, kind: str = "house") -> list:
        """Houses or clips that are on the device, the least recently used first."""
        with self._lock:
            return [name for what, name in self._kept if what == kind]

    def n_users(self) -> int:
        """How many times episodes hold a house or a clip."""
        with self._lock:
            return sum(kept.n_users for kept in self._kept.values())

    def used_gb(self) -> float:
        """How much memory is taken."""
        return (self.pages.n_pages - self.pages.n_free) * PAGE_BYTES / GB

    def _held(self, key: Hashable, source: Dwelling | str, held: list[Hashable]) -> CachedAsset:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._hold(key, kept, held)
                return kept
        contents = self._views(source) if key[0] == "house" else self._seconds(source)
        with self._lock:
            kept = CachedAsset(self._put(contents))
            if key[0] == "house":
                graph = source.scene.graph
                view_page = np.full((len(graph), N_HEADINGS), -1)
                if self._with_views:
                    view_page = kept.pages.reshape(view_page.shape)
                kept.places = self.places.add(graph, view_page)
            self._hold(key, kept, held)
        return kept

    def _hold(self, key: Hashable, kept: CachedAsset, held: list[Hashable]) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        kept.n_users += 1
        held.append(key)

    def _row(self, kept: CachedAsset, dwelling: Dwelling, source: int) -> np.ndarray:
        """Pages of the responses from one node of a house that is held."""
        if source not in kept.rows:
            metres = dwelling.scene.graph.walking_distances[:, source]
            contents = response_pages(dwelling.acoustics.bank.row(source), metres)
            with self._lock:
                kept.rows[source] = self._put(contents)
        return kept.rows[source]

    def _put(self, contents: np.ndarray) -> np.ndarray:
        """Write into free pages; the least recently used without users make room."""
        idle = [key for key, kept in self._kept.items() if kept.n_users == 0]
        for key in idle:
            if self.pages.n_free >= len(contents):
                break
            self._forget(self._kept.pop(key))
        if self.pages.n_free < len(contents):
            raise NoMemoryError(self._what_is_used(len(contents)))
        pages = self.pages.take(len(contents))
        self.pages.write(pages, contents)
        return pages

    def _forget(self, kept: CachedAsset) -> None:
        for pages in (kept.pages, *kept.rows.values()):
            self.pages.give_back(pages)
        if kept.places is not None:
            self.places.remove(kept.places)

    def _what_is_used(self, n_more: int) -> str:
        used = {"house": [], "clip": []}
        for (kind, _), kept in self._kept.items():
            used[kind].append(kept.n_pages)
        parts = " and ".join(
            f"{len(sizes)} {kind}s of {sum(sizes) * PAGE_BYTES / GB:.3f} GB"
            for kind, sizes in used.items()
        )
        return (
            f"memory_gb={self.pages.n_pages * PAGE_BYTES / GB:.3f} is too little: the episodes "
            f"played at the same time use {parts}, and {n_more * PAGE_BYTES / GB:.3f} GB more "
            "are needed; give more, or fewer environments, or fewer houses"
        )

    def _views(self, dwelling: Dwelling) -> np.ndarray:
        if not isinstance(dwelling.acoustics, TracedAcoustics):
            raise ValueError("device= needs houses that this package traces, backend='traced'")
        if not self._with_views:
            return np.empty((0, PAGE_BYTES), np.uint8)
        if not isinstance(dwelling.views, ViewCache):
            raise ValueError("device= needs views that this package renders, backend='traced'")
        n = len(dwelling.scene.graph)
        views = [dwelling.views.view(node, h) for node in range(n) for h in range(N_HEADINGS)]
        return view_pages(*(np.stack(part) for part in zip(*views, strict=True)))

    def _seconds(self, clip: str) -> np.ndarray:
        return clip_pages(self._corpus.samples(clip))


def house_gb(n_nodes: int, with_views: bool) -> float:
    """Memory of a house with every node as a source."""
    n_pages = n_nodes * (n_response_pages(n_nodes) + N_HEADINGS * with_views)
    return n_pages * PAGE_BYTES / GB


def clip_gb(n_samples: int) -> float:
    return n_samples // SAMPLE_RATE * PAGE_BYTES / GB
