"""What no fair agent knows about an episode, for oracles and heuristics.

Pure functions of where the agent and the sources are. Relative headings: 0 ahead, 1 left, 2
behind, 3 right.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph
from av_envs.separation.reachability import steps_to

LEAST_TURNING = (0, 1, 3, 2)  # relative headings, those with fewer turns first
ARRIVED, NO_WAY = -1, -2  # where a relative heading of a route would be


class Situation(NamedTuple):
    """Where the agent and the sources are.

    source_nodes   (num_sources,) the target first
    blocked_nodes  (n,) that cannot be entered
    nodes_after    (4,) the agent's node after each action
    """

    graph: NavigationGraph
    node: int
    heading: int
    source_nodes: np.ndarray
    blocked_nodes: np.ndarray
    nodes_after: np.ndarray

    @property
    def target(self) -> int:
        return int(self.source_nodes[0])


def wrapped(angle: float) -> float:
    """The same angle in (-pi, pi]."""
    return math.pi - (math.pi - angle) % (2 * math.pi)


def source_nodes(situation: Situation) -> np.ndarray:
    """(num_sources,) the target first."""
    return situation.source_nodes.copy()


def target_bearing(situation: Situation) -> np.float32:
    """Radians from the heading to the target, counter-clockwise; 0 on the target itself."""
    return _bearing(situation, situation.target)


def bearing_quarters(situation: Situation) -> np.int64:
    """The relative heading that points nearest to the target; of two, the one further left."""
    return _quarters(situation, situation.target)


def source_distances(situation: Situation) -> np.ndarray:
    """(num_sources,) float32 metres of walking to each source."""
    return situation.graph.walking_distances[situation.node, situation.source_nodes]


def source_quarters(situation: Situation) -> np.ndarray:
    """(num_sources,) int64, `bearing_quarters` of each source."""
    return np.array([_quarters(situation, node) for node in situation.source_nodes])


def source_routes(situation: Situation) -> np.ndarray:
    """(num_sources,) int64, `route_heading` of each source; -2 where others bar every way."""
    return np.array([_route(situation, node) for node in situation.source_nodes])


def _bearing(situation: Situation, source: int) -> np.float32:
    graph, node = situation.graph, situation.node
    if node == source:
        return np.float32(0)
    east, north = (graph.positions[source] - graph.positions[node])[:2]
    return np.float32(wrapped(math.atan2(north, east) - situation.heading * math.pi / 2))


def _quarters(situation: Situation, source: int) -> np.int64:
    quarters = float(_bearing(situation, source)) / (math.pi / 2)
    return np.int64(math.floor(quarters + 0.5 + 1e-6) % N_HEADINGS)


def forward_is_free(situation: Situation) -> np.bool_:
    """Whether a forward step leads to another node."""
    return np.bool_(situation.nodes_after[0] != situation.node)


def distances_after(situation: Situation) -> np.ndarray:
    """(4,) float32 metres of walking to the target after each action."""
    return situation.graph.walking_distances[situation.nodes_after, situation.target]


def straight_after(situation: Situation) -> np.ndarray:
    """(4,) float32 metres to the target as the crow flies after each action."""
    positions = situation.graph.positions
    offsets = positions[situation.nodes_after] - positions[situation.target]
    return np.linalg.norm(offsets, axis=1).astype(np.float32)


def route_heading(situation: Situation) -> np.int64:
    """Relative heading of the first step of a shortest walk to a node beside the target.

    -1 on such a node. Of equally short walks, the one that begins with less turning.
    """
    way = _route(situation, situation.target)
    if way == NO_WAY:
        node, target = situation.node, situation.target
        raise ValueError(f"no way from node {node} to a node beside the target {target}")
    return way


def _route(situation: Situation, source: int) -> np.int64:
    """`route_heading` of any source, or NO_WAY."""
    neighbours, node = situation.graph.neighbours, situation.node
    beside = neighbours[source]
    steps = steps_to(neighbours, situation.blocked_nodes, beside[beside >= 0])
    if steps[node] == 0:
        return np.int64(ARRIVED)
    for turn in LEAST_TURNING:
        ahead = neighbours[node, (situation.heading + turn) % N_HEADINGS]
        if ahead >= 0 and steps[ahead] < steps[node]:
            return np.int64(turn)
    return np.int64(NO_WAY)


OF_SITUATION: dict[str, Callable[[Situation], np.ndarray]] = {
    function.__name__: function
    for function in (
        source_nodes,
        source_distances,
        source_quarters,
        source_routes,
        target_bearing,
        bearing_quarters,
        forward_is_free,
        distances_after,
        straight_after,
        route_heading,
    )
}
