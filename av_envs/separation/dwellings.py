"""The houses that episodes draw from, opened once per process."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

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
    n = len(neighbours)
    free = np.ones(n, bool)
    free[blocked] = False
    node, heading = np.nonzero(neighbours >= 0)
    other = neighbours[node, heading]
    open_way = free[node] & free[other]
    ways = csr_array((open_way[open_way], (node[open_way], other[open_way])), (n, n))
    _, component = connected_components(ways, directed=False)
    return free & (component == component[start])
