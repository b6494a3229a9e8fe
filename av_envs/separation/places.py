"""Where the sources of an episode stand, and where the agent starts among them."""

from collections.abc import Iterator

import numpy as np

from av_envs.scene import NavigationGraph
from av_envs.separation.config import FAR, NEAR, SeparationConfig
from av_envs.separation.reachability import reachable_without

SAME_PLACE = 1e-6  # m, anything nearer is the same node
ROUNDING = 1e-5  # m, of walking distances, which are float32
MAX_TRIES = 200  # of sources placed by chance
MAX_PAIRS = 8  # of sources as far from one node, tried when chance has found none
MAX_STARTS = 16  # tried with one set of sources when chance has found none


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
        apart = f"{config.source_distance:g} m apart"
        where = "this house" if n_houses == 1 else f"any of {n_houses} houses"
        if n_fitting < config.num_sources:
            fit = "fits" if n_fitting == 1 else "fit"
            advice = (
                f"{n_fitting} {fit} {apart}; {config.num_sources} fit {distance:g} m apart: "
                "ask for a smaller min_source_distance or num_sources"
            )
        elif config.start == "between":
            advice = (
                "the sources fit, but leave no 'between' start, a node "
                f"{NEAR[0]:g} to {NEAR[1]:g} m from two of them alike; "
                "ask for a smaller min_source_distance or num_sources, or for another start"
            )
        else:
            advice = (
                f"the sources fit, but leave no {config.start!r} start; "
                "ask for another start or a smaller num_sources"
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


def draw_places(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> tuple[list[int], int]:
    """Nodes of the sources, the target first, and a start from which it can be approached."""
    for _ in range(MAX_TRIES):
        nodes = _draw_sources(config, graph.walking_distances, rng)
        placed = None if nodes is None else _draw_start(config, graph, nodes, rng)
        if placed is not None:
            return placed
    for nodes in _sets_to_try(config, graph, rng):
        placed = _draw_start(config, graph, nodes, rng, MAX_STARTS)
        if placed is not None:
            return placed
    gaps = spread(graph.walking_distances, config.num_sources)[1]
    n_fitting = int((gaps >= _least(config)).sum(axis=1).max())
    raise NoRoomError(config, n_fitting, float(gaps[:, -1].max()))


def _draw_sources(
    config: SeparationConfig, distances: np.ndarray, rng: np.random.Generator
) -> list[int] | None:
    """Distinct nodes pairwise at least `source_distance` apart, or None if luck ran out."""
    apart = distances >= _least(config)
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


def _draw_start(
    config: SeparationConfig,
    graph: NavigationGraph,
    nodes: list[int],
    rng: np.random.Generator,
    n_tries: int = 1,
) -> tuple[list[int], int] | None:
    """The sources with the target in front, and a start; None if luck ran out.

    Of sources that may be the target seen from the start, one is it by lot, and there is
    a way to a node beside each of them: whether it is the target shows in nothing.
    """
    if config.start == "target":
        return nodes, nodes[0]
    may_be_target = _possible_targets(config.start, graph.walking_distances[nodes], graph.grid)
    may_be_target[:, nodes] = False  # no start in a source
    candidates = np.flatnonzero(may_be_target.any(axis=0))
    for _ in range(min(n_tries, len(candidates))):
        k = rng.integers(len(candidates))
        start, candidates = int(candidates[k]), np.delete(candidates, k)
        reached = reachable_without(graph.neighbours, nodes, start)
        possible = np.flatnonzero(may_be_target[:, start])
        if all(_is_beside(reached, graph.neighbours[nodes[s]]) for s in possible):
            s = int(possible[0] if len(possible) == 1 else rng.choice(possible))
            return [nodes[s], *nodes[:s], *nodes[s + 1 :]], start
    return None


def _is_beside(reached: np.ndarray, neighbours: np.ndarray) -> bool:
    """Whether one of the neighbours (4,), -1 where there is none, is `reached` (N,)."""
    return bool(reached[neighbours[neighbours >= 0]].any())


def _possible_targets(start: str, away: np.ndarray, grid: float) -> np.ndarray:
    """(S, N) bool, whether a source may be the target of an agent that starts at a node.

    away  (S, N) metres of walking from each source, in the order in which they were drawn
    """
    if start == "between":
        other = _nearest_other(away)
        return _is_near(away) & _is_near(other) & _are_alike(away, other, grid)
    possible = np.zeros(away.shape, bool)
    possible[0] = _is_near(away[0]) if start == "near" else away[0] >= FAR
    return possible


def _are_alike(one: np.ndarray, other: np.ndarray, grid: float) -> np.ndarray:
    """Whether two walks, metres, differ by one step at most."""
    step = grid + ROUNDING
    return (one <= other + step) & (other <= one + step)


def _nearest_other(away: np.ndarray) -> np.ndarray:
    """(S, N) metres from each node to the nearest source that is not this one."""
    nearest, second = np.partition(away, 1, axis=0)[:2]
    is_nearest = np.arange(len(away))[:, None] == away.argmin(axis=0)
    return np.where(is_nearest, second, nearest)


def _is_near(away: np.ndarray) -> np.ndarray:
    return (away >= NEAR[0]) & (away <= NEAR[1])


def _sets_to_try(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> Iterator[list[int]]:
    """Sources for those that chance does not find a place for."""
    if config.start == "between":
        yield from _sets_around_starts(config, graph, rng)
        return
    chosen, gaps = spread(graph.walking_distances, config.num_sources)
    for first in rng.permutation(np.flatnonzero(gaps[:, -1] >= _least(config))):
        yield chosen[first].tolist()


def _sets_around_starts(
    config: SeparationConfig, graph: NavigationGraph, rng: np.random.Generator
) -> Iterator[list[int]]:
    """Around every node pairs of sources equally near, and others spread widely beyond them."""
    distances, least = graph.walking_distances, _least(config)
    for start in rng.permutation(len(distances)):
        away = distances[start]
        near = np.flatnonzero(_is_near(away))
        alike = _are_alike(away[near, None], away[near], graph.grid)
        pairs = np.argwhere(np.triu(alike & (distances[np.ix_(near, near)] >= least)))
        for pair in rng.permutation(pairs)[:MAX_PAIRS]:
            nodes = near[pair].tolist()
            beyond = away >= away[nodes].max()
            while len(nodes) < config.num_sources:
                gaps = np.where(beyond, distances[nodes].min(axis=0), 0)
                if gaps.max() < least:
                    break
                nodes.append(int(gaps.argmax()))
            else:
                yield rng.permutation(nodes).tolist()


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


def _least(config: SeparationConfig) -> float:
    """Metres between two sources, not less than what makes two nodes of them."""
    return max(config.source_distance, SAME_PLACE)
