"""Drawing an episode: which house, who sounds where, and where the listener starts."""

from dataclasses import dataclass

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph
from av_envs.separation.config import SPLITS, SeparationConfig
from av_envs.separation.dwellings import reachable_without
from av_envs.sound import Corpus

NEAR = (2.0, 5.0)  # m of walking to the target
FAR = 8.0
MAX_TRIES = 200


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

    @property
    def source_nodes(self) -> np.ndarray:
        return np.array([sound.node for sound in self.sounds])


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
        n_seconds = len(corpus.samples(clip)) // 16_000
        sounds.append(Sound(int(node), int(label), clip, int(rng.integers(n_seconds))))
    return Episode(tuple(sounds), int(start), int(rng.integers(N_HEADINGS)))


def _draw_labels(config: SeparationConfig, corpus: Corpus, rng: np.random.Generator) -> list[int]:
    """Labels of distinct classes, the first one a class that may be a target."""
    if config.num_sources > len(corpus.classes):
        raise ValueError(
            f"{config.num_sources} sources need as many classes; "
            f"the corpus {config.sounds!r} has {len(corpus.classes)}"
        )
    targets = [corpus.classes.index(name) for name in corpus.target_classes]
    target = targets[rng.integers(len(targets))]
    others = rng.permutation([k for k in range(len(corpus.classes)) if k != target])
    return [target, *(int(k) for k in others[: config.num_sources - 1])]


def _draw_places(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> tuple[list[int], int]:
    """Source nodes far enough apart, and a start from which the target can be approached."""
    distances = graph.walking_distances
    for _ in range(MAX_TRIES):
        nodes = _draw_sources(config, distances, rng)
        if nodes is None:
            continue
        if config.start == "target":
            return nodes, nodes[0]
        candidates = _start_candidates(config.start, distances, nodes)
        if len(candidates) == 0:
            continue
        start = int(rng.choice(candidates))
        beside = graph.neighbours[nodes[0]]
        if reachable_without(graph.neighbours, nodes, start)[beside[beside >= 0]].any():
            return nodes, start
    raise ValueError(
        f"no room for {config.num_sources} sources {config.min_source_distance:g} m apart with a "
        f"{config.start!r} start in a dwelling of {len(graph)} nodes whose longest walk is "
        f"{distances.max():g} m; ask for fewer sources or a smaller min_source_distance"
    )


def _draw_sources(
    config: SeparationConfig, distances: np.ndarray, rng: np.random.Generator
) -> list[int] | None:
    """Distinct nodes pairwise at least `min_source_distance` apart, or None if luck ran out."""
    apart = distances >= max(config.min_source_distance, 1e-6)
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
