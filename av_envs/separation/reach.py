"""Where one can walk when some nodes are taken."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra


def reachable_without(neighbours: np.ndarray, blocked: np.ndarray, start: int) -> np.ndarray:
    """(N,) bool, nodes that can be walked to from `start` when nobody enters `blocked` nodes."""
    _, component = connected_components(_open_ways(neighbours, blocked), directed=False)
    reached = component == component[start]
    reached[blocked] = False
    return reached


def steps_to(neighbours: np.ndarray, blocked: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """(N,) float, steps to the nearest of `goals` when nobody enters `blocked` nodes; or inf."""
    goals = np.setdiff1d(goals, blocked)
    if len(goals) == 0:
        return np.full(len(neighbours), np.inf)
    return dijkstra(_open_ways(neighbours, blocked), indices=goals, unweighted=True, min_only=True)


def _open_ways(neighbours: np.ndarray, blocked: np.ndarray) -> csr_array:
    """(N,N) one for each step from one node that is not blocked to another."""
    n = len(neighbours)
    free = np.ones(n, bool)
    free[blocked] = False
    node, heading = np.nonzero(neighbours >= 0)
    other = neighbours[node, heading]
    open_way = free[node] & free[other]
    return csr_array((open_way[open_way], (node[open_way], other[open_way])), (n, n))
