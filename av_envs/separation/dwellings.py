"""The houses that episodes draw from, opened once per process."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from av_envs.acoustics import TracedAcoustics
from av_envs.scene import Scene, load_scene, scene_name
from av_envs.vision import ViewCache

OPEN_AT_ONCE = 64  # dwellings per process; the others are opened again when needed


@dataclass(frozen=True, eq=False)
class Dwelling:
    """A scene with what is heard and seen in it."""

    scene: Scene
    acoustics: TracedAcoustics
    views: ViewCache


@lru_cache(maxsize=OPEN_AT_ONCE)
def open_dwelling(split: str, index: int, grid: float, hrtf: str) -> Dwelling:
    """Dwelling `index` of a scene split; its responses and views are shared by all processes."""
    scene = load_scene(scene_name(split, index), grid)
    return Dwelling(scene, TracedAcoustics(scene, hrtf=hrtf), ViewCache(scene))


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
