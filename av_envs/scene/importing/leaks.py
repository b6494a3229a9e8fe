"""Rays from all nodes of a mesh: the air side of each surface, and the share of lost rays."""

from typing import NamedTuple

import numpy as np

from av_envs.scene.bvh import Bvh, cast_rays
from av_envs.scene.importing.graph import sphere

N_RAYS = 262_144  # from all nodes together
MOST_RAYS = 4096  # and least rays from one node
LEAST_RAYS = 64
FEWEST_VOTES = 4
FAR = np.float32(1e6)  # m


class Sides(NamedTuple):
    """Results of `look_around`.

    votes  (T,) int64, rays that met the back of each triangle less those that met its front
    lost   share of the rays that met nothing
    """

    votes: np.ndarray
    lost: float


def look_around(bvh: Bvh, normals: np.ndarray, heads: np.ndarray) -> Sides:
    """Rays in all directions from every head (N,3) float32, metres."""
    n_rays = int(np.clip(N_RAYS // len(heads), LEAST_RAYS, MOST_RAYS))
    directions = sphere(n_rays)
    seen, sides = [], []
    for head in heads:
        _, hit = cast_rays(
            bvh, np.broadcast_to(head, directions.shape), directions, np.full(n_rays, FAR)
        )
        found = hit >= 0
        seen.append(hit[found])
        sides.append(np.sign(np.einsum("rc,rc->r", normals[hit[found]], directions[found])))
    seen = np.concatenate(seen)
    votes = np.bincount(seen, np.concatenate(sides), len(normals)).astype(np.int64)
    return Sides(votes, 1 - len(seen) / (n_rays * len(heads)))


def turned_to_air(votes: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(T,) bool, which triangles to turn so that they face the air that the nodes see.

    A triangle that few rays met goes with the majority of its part, unmet parts stay: a
    stray ray that slipped in between two triangles sees a thing from inside.
    """
    of_part = np.bincount(part, votes)
    return np.where(np.abs(votes) < FEWEST_VOTES, of_part[part] > 0, votes > 0)
