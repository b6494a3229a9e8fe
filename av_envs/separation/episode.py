"""Drawing an episode: in which house, at which places, and what sounds there."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.noise import noise_seed
from av_envs.separation.places import NoRoomError, draw_places
from av_envs.separation.state import Episode, Sound
from av_envs.sound import Corpus
from av_envs.worlds.base import Dwelling, Pool, open_pool
from av_envs.worlds.facing import heading_facing

MAX_HOUSES = 32  # tried before an episode is given up


def pool_of(config: SeparationConfig) -> Pool:
    """The dwellings that episodes are drawn in."""
    return open_pool(config.world, SPLITS[config.split][0], config.houses)


def draw_in_pool(
    config: SeparationConfig, options: dict, corpus: Corpus, rng: np.random.Generator
) -> tuple[int, Dwelling, Episode]:
    """The house, its dwelling and an episode in it, in the first house where the sources fit.

    options  of `reset`; {"house": k} allows no other house
    """
    pool = pool_of(config)
    refused = None
    for house in _houses_to_try(pool.size, options, rng):
        dwelling = pool.open(pool.names[house])
        try:
            episode = draw_episode(config, dwelling.scene.graph, corpus, rng)
        except NoRoomError as error:
            refused = error if refused is None else refused.or_in(error)
        else:
            return house, dwelling, _facing(config, dwelling, episode, rng)
    raise refused


def _facing(
    config: SeparationConfig, dwelling: Dwelling, episode: Episode, rng: np.random.Generator
) -> Episode:
    """The episode with the heading that `starts_facing` asks for; all else stays as drawn."""
    drawn = episode.start_node, episode.start_heading
    heading = heading_facing(config.starts_facing, dwelling, *drawn, rng)
    return replace(episode, start_heading=heading)


def _houses_to_try(n: int, options: dict, rng: np.random.Generator) -> list[int]:
    """Of n houses the one that the reset options name, or a random one and those after it."""
    unknown = set(options) - {"house"}
    if unknown:
        raise ValueError(f"unknown reset options {sorted(unknown)}; the only one is 'house'")
    if "house" not in options:
        first = int(rng.integers(n))
        return [(first + k) % n for k in range(min(n, MAX_HOUSES))]
    if options["house"] not in range(n):
        raise ValueError(f"house must be in 0..{n - 1}, got {options['house']!r}")
    return [int(options["house"])]


def draw_episode(
    config: SeparationConfig, graph: NavigationGraph, corpus: Corpus, rng: np.random.Generator
) -> Episode:
    """A random episode in a dwelling with this navigation graph."""
    clip_split = SPLITS[config.split][1]
    nodes, start = draw_places(config, graph, rng)
    sounds = []
    for node, label in zip(nodes, _draw_labels(config, corpus, rng), strict=True):
        clips = corpus.clips(clip_split, corpus.classes[label])
        clip = clips[rng.integers(len(clips))]
        first_second = int(rng.integers(corpus.n_seconds(clip)))
        sounds.append(Sound(int(node), int(label), clip, first_second))
    heading = int(rng.integers(N_HEADINGS))
    return Episode(tuple(sounds), int(start), heading, noise_seed(rng))


def _draw_labels(config: SeparationConfig, corpus: Corpus, rng: np.random.Generator) -> list[int]:
    """Labels of distinct classes, the first one a class that may be a target."""
    if config.num_sources > len(corpus.classes):
        raise ValueError(
            f"{config.num_sources} sources need as many classes; "
            f"the corpus {config.sounds!r} has {len(corpus.classes)}"
        )
    targets = _target_labels(corpus.classes, corpus.target_classes)
    target = targets[rng.integers(len(targets))]
    others = rng.permutation(np.delete(np.arange(len(corpus.classes)), target))
    return [target, *(int(k) for k in others[: config.num_sources - 1])]


@lru_cache(maxsize=4)
def _target_labels(classes: tuple[str, ...], target_classes: tuple[str, ...]) -> list[int]:
    return [classes.index(name) for name in target_classes]
