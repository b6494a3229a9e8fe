"""Drawing an episode: which house, who sounds where, and where the listener starts."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.dwelling import Dwelling, Pool, open_pool
from av_envs.scene import NavigationGraph
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.noise import noise_seed
from av_envs.separation.reach import reachable_without
from av_envs.sound import Corpus

NEAR = (2.0, 5.0)  # m of walking to the target
FAR = 8.0
MAX_TRIES = 200
MAX_HOUSES = 32  # tried before an episode is given up
SAME_PLACE = 1e-6  # m, anything nearer is the same node


class NoRoomError(ValueError):
    """What is asked for fits into none of the dwellings.

    n_houses   how many were tried

    n_fitting  so many sources fit at the distance that is asked for
    distance   metres apart, so far the number of sources that is asked for fits
    """

    def __init__(
        self, config: SeparationConfig, n_fitting: int, distance: float, n_houses: int = 1
    ):
        self.config, self.n_houses = config, n_houses
        self.n_fitting, self.distance = n_fitting, distance
        apart = f"{config.min_source_distance:g} m apart"
        where = "this house" if n_houses == 1 else f"any of {n_houses} houses"
        if n_fitting >= config.num_sources:
            advice = (
                f"the sources fit, but leave no {config.start!r} start; "
                "ask for another start or a smaller num_sources"
            )
        else:
            fit = "fits" if n_fitting == 1 else "fit"
            advice = (
                f"{n_fitting} {fit} {apart}; {config.num_sources} fit {distance:g} m apart: "
                "ask for a smaller min_source_distance or num_sources"
            )
        super().__init__(f"no room for {config.num_sources} sources {apart} in {where}: {advice}")

    def or_in(self, other: "NoRoomError") -> "NoRoomError":
        """The same for both sets of dwellings, with the larger of what fits."""
        return NoRoomError(
            self.config,
            max(self.n_fitting, other.n_fitting),
            max(self.distance, other.distance),
            self.n_houses + other.n_houses,
        )


@dataclass(frozen=True)
class Sound:
    """One source: where it stands, which clip it plays, and the second it starts with."""

    node: int
    label: int
    clip: str
    first_second: int


@dataclass(frozen=True)
class Episode:
    """Everything that chance decides about an episode; sounds[0] is the target."""

    sounds: tuple[Sound, ...]
    start_node: int
    start_heading: int
    noise_seed: int  # of the microphones

    @property
    def source_nodes(self) -> np.ndarray:
        return np.array([sound.node for sound in self.sounds])


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
            return house, dwelling, draw_episode(config, dwelling.scene.graph, corpus, rng)
        except NoRoomError as error:
            refused = error if refused is None else refused.or_in(error)
    raise refused


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
    nodes, start = _draw_places(config, graph, rng)
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


def _draw_places(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> tuple[list[int], int]:
    """Source nodes far enough apart, and a start from which the target can be approached."""
    for _ in range(MAX_TRIES):
        nodes = _draw_sources(config, graph.walking_distances, rng)
        start = None if nodes is None else _draw_start(config.start, graph, nodes, rng)
        if start is not None:
            return nodes, start
    return _spread_places(config, graph, rng)


def _draw_start(
    kind: str, graph: NavigationGraph, nodes: list[int], rng: np.random.Generator
) -> int | None:
    """A node to start from, with a way to a node beside the target; None if luck ran out."""
    if kind == "target":
        return nodes[0]
    candidates = _start_candidates(kind, graph.walking_distances, nodes)
    if len(candidates) == 0:
        return None
    start = int(rng.choice(candidates))
    beside = graph.neighbours[nodes[0]]
    reached = reachable_without(graph.neighbours, nodes, start)
    return start if reached[beside[beside >= 0]].any() else None


def _spread_places(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> tuple[list[int], int]:
    """Sources spread as widely as they can be, for those that chance does not find a place for."""
    distances, least = graph.walking_distances, max(config.min_source_distance, SAME_PLACE)
    chosen, gaps = spread(distances, config.num_sources)
    for first in rng.permutation(np.flatnonzero(gaps[:, -1] >= least)):
        nodes = [int(node) for node in chosen[first]]
        start = _draw_start(config.start, graph, nodes, rng)
        if start is not None:
            return nodes, start
    n_fitting = int((gaps >= least).sum(axis=1).max())
    raise NoRoomError(config, n_fitting, float(gaps[:, -1].max()))


def spread(distances: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """From each node, n nodes of which each is as far as possible from those before it.

    distances  (N, N) metres of walking
    returns    (N, n) nodes and (N, n) metres from each to the nearest before it, inf for the first
    """
    chosen = [np.arange(len(distances))]
    gaps = [np.full(len(distances), np.inf)]
    nearest = distances
    for _ in range(n - 1):
        chosen.append(np.argmax(nearest, axis=1))
        gaps.append(np.max(nearest, axis=1))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return np.stack(chosen, axis=1), np.stack(gaps, axis=1)


def _draw_sources(
    config: SeparationConfig, distances: np.ndarray, rng: np.random.Generator
) -> list[int] | None:
    """Distinct nodes pairwise at least `min_source_distance` apart, or None if luck ran out."""
    apart = distances >= max(config.min_source_distance, SAME_PLACE)
    open_nodes = (
        np.flatnonzero(apart.any(axis=1)) if config.num_sources > 1 else np.arange(len(apart))
    )
    nodes: list[int] = []
    while len(nodes) < config.num_sources:
        if len(open_nodes) == 0:
            return None
        nodes.append(int(rng.choice(open_nodes)))
        open_nodes = open_nodes[apart[nodes[-1]][open_nodes]]
    return nodes


def _start_candidates(start: str, distances: np.ndarray, nodes: list[int]) -> np.ndarray:
    away = distances[nodes[0]]
    fits = (away >= NEAR[0]) & (away <= NEAR[1]) if start == "near" else away >= FAR
    fits[nodes] = False
    return np.flatnonzero(fits)
