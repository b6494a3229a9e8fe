"""What no fair agent knows about an episode, for oracles and heuristics.

Pure functions of where everybody stands. Relative headings: 0 ahead, 1 left, 2 behind, 3 right.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph
from av_envs.separation.reach import steps_to

LEAST_TURNING = (0, 1, 3, 2)  # relative headings, those with fewer turns first


class Situation(NamedTuple):
    """Where everybody stands.

    source_nodes  (num_sources,) the target first
    solid         (n,) nodes that nobody walks onto
    nodes_after   (4,) the agent's node after each action
    """

    graph: NavigationGraph
    node: int
    heading: int
    source_nodes: np.ndarray
    solid: np.ndarray
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
    graph, node, target = situation.graph, situation.node, situation.target
    if node == target:
        return np.float32(0)
    east, north = (graph.positions[target] - graph.positions[node])[:2]
    return np.float32(wrapped(math.atan2(north, east) - situation.heading * math.pi / 2))


def bearing_quarters(situation: Situation) -> np.int64:
    """The relative heading that points nearest to the target; of two, the one further left."""
    quarters = float(target_bearing(situation)) / (math.pi / 2)
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
    neighbours, node = situation.graph.neighbours, situation.node
    beside = neighbours[situation.target]
    steps = steps_to(neighbours, situation.solid, beside[beside >= 0])
    if steps[node] == 0:
        return np.int64(-1)
    for turn in LEAST_TURNING:
        ahead = neighbours[node, (situation.heading + turn) % N_HEADINGS]
        if ahead >= 0 and steps[ahead] < steps[node]:
            return np.int64(turn)
    raise ValueError(f"no way from node {node} to a node beside the target {situation.target}")


OF_SITUATION: dict[str, Callable[[Situation], np.ndarray]] = {
    function.__name__: function
    for function in (
        source_nodes,
        target_bearing,
        bearing_quarters,
        forward_is_free,
        distances_after,
        straight_after,
        route_heading,
    )
}
