"""Sequences to learn from, of one kind of features: drawn in the simulator, or from recordings."""

from typing import NamedTuple, Protocol

import numpy as np

from av_envs.agents.localization.features import features
from av_envs.agents.localization.rendering import heard_by
from av_envs.agents.localization.takes import (
    PER_SECOND,
    Labels,
    TakeConfig,
    TakeSampler,
    labels_of,
)
from av_envs.threads import in_threads


class Sequences(NamedTuple):
    """B sequences of L frames of 100 ms with N tracks.

    maps       (B, C, 5 L, 64) float32 features
    direction  (B, L, N, 3) float32 unit vectors to the sources, 0 without one
    active     (B, L, N) bool, whether they sound
    sight      (B, L, N) bool, whether they are in the line of sight
    """

    maps: np.ndarray
    direction: np.ndarray
    active: np.ndarray
    sight: np.ndarray


class SequenceSource(Protocol):
    """Where sequences come from."""

    def batch(self, rng: np.random.Generator, size: int) -> Sequences:
        """Random training sequences, a function of the random generator alone."""
        ...

    def held_out(self) -> list[Sequences]:
        """The sequences to validate on, always the same; each item is one recording."""
        ...


class Simulated:
    """Sequences from takes, see `takes.py`.

    kind      of features
    train     what training takes are drawn from
    val       what takes to validate on are drawn from
    n_val     how many of those
    towards   "straight": directions along the straight line to a source; "arrival": those that
              its strongest sound arrives from, which differ behind doors
    """

    def __init__(
        self, kind: str, train: TakeConfig, val: TakeConfig, n_val: int, towards: str = "straight"
    ):
        self.kind, self.towards, self.n_val = kind, towards, n_val
        self._train, self._val = TakeSampler(train), TakeSampler(val)

    def batch(self, rng: np.random.Generator, size: int) -> Sequences:
        """`size` takes of the training houses, rendered on all cores."""
        return joined(in_threads(self._train_take, rng.spawn(size), pool="takes"))

    def held_out(self) -> list[Sequences]:
        """The takes to validate on."""
        return [self._one(self._val, np.random.default_rng([0, k])) for k in range(self.n_val)]

    def held_out_headings(self) -> list[np.ndarray]:
        """(L,) quarter turns of the listener in the frames of each of them."""
        takes = (self._val.draw(np.random.default_rng([0, k])) for k in range(self.n_val))
        return [take.heading.repeat(PER_SECOND) for take in takes]

    def _train_take(self, rng: np.random.Generator) -> Sequences:
        return self._one(self._train, rng)

    def _one(self, sampler: TakeSampler, rng: np.random.Generator) -> Sequences:
        take = sampler.draw(rng)
        labels = labels_of(take, sampler.config.tracks)
        return labelled(features(self.kind, heard_by(take, self.kind)), labels, self.towards)


def labelled(maps: np.ndarray, labels: Labels, towards: str = "straight") -> Sequences:
    """One sequence of maps (C, 5 L, 64) and labels of L frames."""
    direction = labels.direction if towards == "straight" else labels.arrival
    return Sequences(*(part[None] for part in (maps, direction, labels.active, labels.sight)))


def joined(parts: list[Sequences]) -> Sequences:
    """All of equally long sequences in one."""
    return Sequences(*map(np.concatenate, zip(*parts, strict=True)))


def with_tracks(one: Sequences, tracks: int) -> Sequences:
    """The same sequences with that many tracks or more; those that are added have no source."""
    added = (0, max(tracks - one.active.shape[-1], 0))
    still = ((0, 0), (0, 0))
    return Sequences(
        one.maps,
        np.pad(one.direction, (*still, added, (0, 0))),
        *(np.pad(part, (*still, added)) for part in (one.active, one.sight)),
    )
