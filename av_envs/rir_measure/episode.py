"""Drawing an episode: the dwelling, the starts of the robots and the fixed devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.rir_measure.config import MeasureConfig
from av_envs.scene import NavigationGraph
from av_envs.worlds.base import Dwelling, Pool, open_pool
from av_envs.worlds.facing import heading_facing

RESET_OPTIONS = (
    "house",
    "scene",
    "start_nodes",
    "start_headings",
    "fixed_sources",
    "fixed_receivers",
)
IGNORED = "options"  # the one reset option that PettingZoo's own API test sends
NO_HOUSE = -1  # of an episode in a scene that was named


@dataclass(frozen=True)
class Episode:
    """Everything that chance decides about an episode.

    start_nodes, start_headings  one per robot
    fixed_sources                nodes of the loudspeakers that stand still
    fixed_receivers              (node, heading) of the dummy heads that stand still
    """

    start_nodes: tuple[int, ...]
    start_headings: tuple[int, ...]
    fixed_sources: tuple[int, ...]
    fixed_receivers: tuple[tuple[int, int], ...]


def pool_of(config: MeasureConfig) -> Pool:
    """The dwellings that episodes are drawn in."""
    return open_pool(config.world, config.split, config.houses)


def draw_in_pool(
    config: MeasureConfig, options: Mapping[str, Any] | None, rng: np.random.Generator
) -> tuple[int, Dwelling, Episode]:
    """The number of the house (-1 for a named scene), the dwelling and an episode in it."""
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options must be a dict of {', '.join(RESET_OPTIONS)}, got {options!r}")
    options = dict(options or {})
    options.pop(IGNORED, None)
    unknown = sorted(set(options) - set(RESET_OPTIONS))
    if unknown:
        raise ValueError(f"unknown reset options {unknown}; there is {', '.join(RESET_OPTIONS)}")
    pool = pool_of(config)
    house, name = _dwelling_name(pool, options, rng)
    dwelling = pool.open(name)
    episode = draw_episode(config, dwelling.scene.graph, options, rng)
    if "start_headings" not in options:
        headings = tuple(
            heading_facing(config.starts_facing, dwelling, node, heading, rng)
            for node, heading in zip(episode.start_nodes, episode.start_headings, strict=True)
        )
        episode = replace(episode, start_headings=headings)
    return house, dwelling, episode


def _dwelling_name(
    pool: Pool, options: Mapping[str, Any], rng: np.random.Generator
) -> tuple[int, str]:
    drawn = int(rng.integers(pool.size))  # even if one is named: what is drawn next stays
    if "scene" in options:
        if "house" in options:
            raise ValueError("reset options name a house and a scene; give one of them")
        if not isinstance(options["scene"], str):
            raise ValueError(f"scene must be a name such as 'flat-7', got {options['scene']!r}")
        return NO_HOUSE, options["scene"]
    (house,) = _whole_numbers("house", [options.get("house", drawn)], 1)
    if house not in range(pool.size):
        raise ValueError(f"house must be in 0..{pool.size - 1}, got {house}")
    return house, pool.names[house]


def draw_episode(
    config: MeasureConfig,
    graph: NavigationGraph,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Episode:
    """Robots on different nodes, any headings; `options` of `reset` override what they name."""
    if config.robots > len(graph):
        raise ValueError(f"robots: {config.robots} do not fit on {len(graph)} nodes")
    nodes = tuple(rng.choice(len(graph), config.robots, replace=False).tolist())
    headings = tuple(rng.integers(N_HEADINGS, size=config.robots).tolist())
    sources = tuple(rng.integers(len(graph), size=config.fixed_sources).tolist())
    heads = rng.integers((len(graph), N_HEADINGS), size=(config.fixed_receivers, 2)).tolist()
    if "start_nodes" in options:
        nodes = _nodes("start_nodes", options["start_nodes"], config.robots, graph)
        _check_connected(nodes, graph)
    if "start_headings" in options:
        headings = _headings("start_headings", options["start_headings"], config.robots)
    if "fixed_sources" in options:
        sources = _nodes("fixed_sources", options["fixed_sources"], config.fixed_sources, graph)
    if "fixed_receivers" in options:
        count = config.fixed_receivers
        heads = _poses("fixed_receivers", options["fixed_receivers"], count, graph)
    return Episode(nodes, headings, sources, tuple((node, heading) for node, heading in heads))


def _nodes(name: str, given: Sequence, count: int, graph: NavigationGraph) -> tuple[int, ...]:
    values = _whole_numbers(name, given, count)
    for node in values:
        if not 0 <= node < len(graph):
            raise ValueError(f"{name}: the graph has nodes 0..{len(graph) - 1}, got {node}")
    return values


def _headings(name: str, given: Sequence, count: int) -> tuple[int, ...]:
    values = _whole_numbers(name, given, count)
    for heading in values:
        if not 0 <= heading < N_HEADINGS:
            raise ValueError(f"{name}: headings are 0, 1, 2, 3 quarter turns, got {heading}")
    return values


def _poses(name: str, given: Sequence, count: int, graph: NavigationGraph) -> list[tuple[int, int]]:
    pairs = [
        _whole_numbers(f"{name}: a pose [node, heading]", pair, 2)
        for pair in _items(name, given, count, "pairs [node, heading]")
    ]
    nodes = _nodes(name, [node for node, _ in pairs], count, graph)
    headings = _headings(name, [heading for _, heading in pairs], count)
    return list(zip(nodes, headings, strict=True))


def _whole_numbers(name: str, given: Sequence, count: int) -> tuple[int, ...]:
    items = _items(name, given, count, "whole numbers")
    for item in items:
        if isinstance(item, bool) or not isinstance(item, Integral):
            raise ValueError(f"{name} must be {count} whole numbers, got {given!r}")
    return tuple(int(item) for item in items)


def _items(name: str, given: Any, count: int, what: str) -> list:
    items = given.tolist() if isinstance(given, np.ndarray) else given
    if isinstance(items, str) or not isinstance(items, Sequence) or len(items) != count:
        raise ValueError(f"{name} must be {count} {what}, got {given!r}")
    return list(items)


def _check_connected(nodes: tuple[int, ...], graph: NavigationGraph) -> None:
    """Robots that cannot reach each other cannot share the work."""
    for node in nodes:
        if not np.isfinite(graph.walking_distances[nodes[0], node]):
            raise ValueError(f"start_nodes: no way leads from {nodes[0]} to {node}")
