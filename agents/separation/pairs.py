"""Mixtures at the ears and what their sources sound like, drawn on the fly from the engine.

Every source of a mixture is a target in turn: one second heard gives a pair for each class that
sounds in it, so the class is all that tells the two apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.acoustics.convolution import dry_spectra, heard_second, response_spectra
from av_envs.acoustics.spectrogram import stft
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE
from av_envs.separation.audio import corpus_of, ground_truth
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.episode import pool_of
from av_envs.threads import in_threads
from av_envs.worlds.base import Dwelling

SILENT = 1e-7  # mean power of a dry second below which nothing can be learnt of it
KEPT_CLIPS = 400  # in memory: 0.5 GB of the embedded corpus
TRIES = 1000  # of places in a house


@dataclass(frozen=True)
class PairConfig:
    """What pairs are drawn from."""

    split: str = "train"  # of the separation task
    houses: int = 32  # of that split
    sounds: str = "embedded"
    grid: float = 1.0  # m between nodes
    more_sources: float = 0.25  # share of mixtures with three sources instead of two
    apart: float = 2.0  # m of walking between two sources, least
    near: float = 6.0  # m of walking from a source to a pose that is near it
    share_near: float = 0.75  # of poses; the others are anywhere in the house

    @property
    def task(self) -> SeparationConfig:
        """The environment's options that these stand for."""
        return SeparationConfig(
            split=self.split, houses=self.houses, sounds=self.sounds, grid=self.grid
        )


class Pairs(NamedTuple):
    """A batch of B pairs.

    mixture  (B, 2, 512, 32) float32 linear magnitude at the ears
    label    (B,) int64 class of the target
    image    (B, 2, 512, 32) float32 linear magnitude of the target alone at the ears
    truth    (B, 512, 32) float32 magnitude of the target's dry second, RMS 1.2
    """

    mixture: np.ndarray
    label: np.ndarray
    image: np.ndarray
    truth: np.ndarray


class Mixture(NamedTuple):
    """One second heard somewhere in a house, of S sources.

    images   (S, 2, 512, 32) complex64, what each source alone sounds like at the ears
    labels   (S,) int64, their classes
    dry      (S, 16000) float32, what they play
    offsets  (S, 2) metres from the listener to each, along its heading and to its left
    asked    (S,) bool, may be a target, and sounds
    """

    images: np.ndarray
    labels: np.ndarray
    dry: np.ndarray
    offsets: np.ndarray
    asked: np.ndarray


class MixtureSampler:
    """Draws mixtures; what is drawn is a function of the random generator alone.

    Raises ValueError if there are no such houses, or no two classes that could be told apart.
    """

    def __init__(self, config: PairConfig):
        self.config = config
        self._corpus = corpus_of(config.sounds)
        if self.n_classes < 2:
            raise ValueError(
                f"a separator needs 2 classes or more; the corpus {config.sounds!r} has "
                f"{self.n_classes}"
            )
        self._pool = pool_of(config.task)
        self._samples = lru_cache(KEPT_CLIPS)(self._corpus.samples)
        names = self._corpus.classes
        self._is_target = np.array([name in self._corpus.target_classes for name in names])

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the corpus, by label."""
        return tuple(self._corpus.classes)

    @property
    def n_classes(self) -> int:
        """Of the corpus, those that only distract included."""
        return len(self._corpus.classes)

    def mixture(self, rng: np.random.Generator) -> Mixture:
        """One of them."""
        config = self.config
        n_sources = 3 if rng.random() < config.more_sources and self.n_classes > 2 else 2
        dwelling = self._pool.open(self._pool.names[int(rng.integers(self._pool.size))])
        nodes, pose = self._places(dwelling, n_sources, rng)
        labels = rng.permutation(self.n_classes)[:n_sources].astype(np.int64)
        windows = np.stack([self._window(label, rng) for label in labels])
        dry = windows[:, SAMPLE_RATE:]
        return Mixture(
            stft(heard_apart(dwelling, nodes, pose, windows)),
            labels,
            dry,
            offsets(dwelling, nodes, pose),
            self._is_target[labels] & (np.square(dry).mean(axis=1) > SILENT),
        )

    def _places(
        self, dwelling: Dwelling, n_sources: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, tuple[int, int]]:
        """Nodes of the sources, and node and heading of the listener."""
        distances = dwelling.scene.graph.walking_distances
        n_nodes = len(distances)
        for _ in range(TRIES):
            nodes = rng.integers(n_nodes, size=n_sources)
            between = distances[np.ix_(nodes, nodes)][np.triu_indices(n_sources, 1)]
            if between.min() >= self.config.apart:
                break
        else:
            raise ValueError(
                f"no place for {n_sources} sources {self.config.apart:g} m apart was found in "
                f"{dwelling.scene.name!r}; ask for a smaller distance"
            )
        free = np.ones(n_nodes, bool)
        free[nodes] = False
        if rng.random() < self.config.share_near:
            free &= distances[nodes[rng.integers(n_sources)]] <= self.config.near
        candidates = np.flatnonzero(free)
        listener = candidates[rng.integers(len(candidates))] if len(candidates) else nodes[0]
        return nodes, (int(listener), int(rng.integers(N_HEADINGS)))

    def _window(self, label: int, rng: np.random.Generator) -> np.ndarray:
        """(32000,) float32: two seconds of a clip of that class, from anywhere in it."""
        clip_split = SPLITS[self.config.split][1]
        clips = self._corpus.clips(clip_split, self._corpus.classes[label])
        clip = clips[rng.integers(len(clips))]
        samples = self._samples(clip)
        first = int(rng.integers(len(samples)))
        ahead = samples[first : first + 2 * SAMPLE_RATE]
        while len(ahead) < 2 * SAMPLE_RATE:
            ahead = np.concatenate([ahead, samples[: 2 * SAMPLE_RATE - len(ahead)]])
        return ahead


class PairSampler(MixtureSampler):
    """Draws batches of pairs: each source of a mixture is asked for in turn."""

    def batch(self, rng: np.random.Generator, size: int) -> Pairs:
        """`size` pairs, rendered on all cores."""
        return Pairs(*batched(self._pairs, rng, size))

    def _pairs(self, rng: np.random.Generator) -> Pairs:
        heard = self.mixture(rng)
        mixture, asked = np.abs(heard.images.sum(axis=0)), heard.asked
        return Pairs(
            np.broadcast_to(mixture, (int(asked.sum()), *mixture.shape)),
            heard.labels[asked],
            np.abs(heard.images[asked]),
            ground_truth(heard.dry[asked]).magnitude
            if asked.any()
            else np.empty((0, 512, 32), np.float32),
        )


def batched(
    make: Callable[[np.random.Generator], tuple[np.ndarray, ...]],
    rng: np.random.Generator,
    size: int,
) -> list[np.ndarray]:
    """Arrays with `size` rows of what is made again and again, a few rows at a time, on all cores.

    make  arrays with equally many rows, or none
    """
    made: list[tuple[np.ndarray, ...]] = []
    n = 0
    while n < size:
        rngs = rng.spawn(-(-(size - n) // 2))
        for rows in in_threads(make, rngs, pool="pairs"):
            made.append(rows)
            n += len(rows[0])
    return [np.concatenate(part)[:size] for part in zip(*made, strict=True)]


def offsets(dwelling: Dwelling, nodes: np.ndarray, pose: tuple[int, int]) -> np.ndarray:
    """(S, 2) metres from a pose to nodes (S,), along its heading and to its left."""
    places = dwelling.scene.graph.positions[:, :2]
    away = places[nodes] - places[pose[0]]
    angle = pose[1] * 2 * np.pi / N_HEADINGS
    ahead = np.array([np.cos(angle), np.sin(angle)])
    return np.stack([away @ ahead, away @ np.array([-ahead[1], ahead[0]])], axis=1)


def heard_apart(
    dwelling: Dwelling, nodes: np.ndarray, pose: tuple[int, int], windows: np.ndarray
) -> np.ndarray:
    """(S, 2, 16000) float32, what each source alone sounds like at the ears, mixed by its share.

    nodes    (S,) of the sources
    pose     node and heading of the listener
    windows  (S, 32000) float32, what every source has played until the end of the second
    """
    ears = np.empty((len(nodes), 2, RIR_SAMPLES), np.float32)
    dwelling.acoustics.rirs_into(nodes, *pose, ears)
    spectra = response_spectra(ears) * dry_spectra(windows, "causal")[:, None]
    return heard_second(spectra, "causal") / len(nodes)
