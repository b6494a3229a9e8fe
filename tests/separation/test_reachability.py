"""Where one can walk around those who stand in the way."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from av_envs.separation.reachability import reachable_without


def test_what_can_be_reached_is_a_component_of_the_free_graph():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 40))
        neighbours = rng.integers(n, size=(n, 4)).astype(np.int32)
        neighbours[rng.random((n, 4)) < 0.6] = -1
        blocked = rng.choice(n, rng.integers(0, min(n, 5) + 1), replace=False)
        free = ~np.isin(np.arange(n), blocked)
        node, heading = np.nonzero(neighbours >= 0)
        other = neighbours[node, heading]
        ways = free[node] & free[other]
        graph = csr_array((np.ones(ways.sum()), (node[ways], other[ways])), (n, n))
        component = connected_components(graph, directed=False)[1]
        for start in range(n):
            reached = reachable_without(neighbours, blocked, start)
            expected = free & (component == component[start])
            assert np.array_equal(reached, expected)


def test_along_a_corridor_a_source_is_in_the_way():
    neighbours = np.full((6, 4), -1, np.int32)
    neighbours[:-1, 0], neighbours[1:, 2] = np.arange(1, 6), np.arange(5)
    assert reachable_without(neighbours, [3], 1).tolist() == [True] * 3 + [False] * 3
    assert not reachable_without(neighbours, [1, 3], 1).any()
