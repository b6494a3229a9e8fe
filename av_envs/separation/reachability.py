"""Where one can walk when some nodes are taken."""

import numpy as np
from numba import njit
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


def reachable_without(neighbours: np.ndarray, blocked: np.ndarray, start: int) -> np.ndarray:
    """(N,) bool, nodes that can be walked to from `start` without entering `blocked` nodes."""
    free = np.ones(len(neighbours), bool)
    free[blocked] = False
    reached = np.zeros(len(neighbours), bool)
    reached[start] = free[start]
    _spread(neighbours, free, reached)
    return reached


@njit(cache=True, nogil=True)
def _spread(neighbours, free, reached):
    """Reach whatever is next to what is reached, either way, until nothing changes."""
    n, goes_on = len(neighbours), True
    while goes_on:
        goes_on = False
        for k in range(2 * n):
            node = k if k < n else 2 * n - 1 - k  # there and back, so that long ways take few turns
            for heading in range(neighbours.shape[1]):
                other = neighbours[node, heading]
                if other < 0 or not (free[node] and free[other]):
                    continue
                if reached[node] != reached[other]:
                    reached[node] = reached[other] = goes_on = True


def steps_to(neighbours: np.ndarray, blocked: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """(N,) float, steps to the nearest of `goals` without entering `blocked` nodes; or inf."""
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
