"""Where an agent went and where the sources stood, compact enough to lie in every result."""

from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np

from av_envs.conventions import N_HEADINGS

FORWARD, LEFT, RIGHT, STAY = range(4)  # actions of the separation environments


def walk_of(env: gym.Env, observation: Any) -> dict[str, Any] | None:
    """The walk so far; None if the environment has no trajectory.

    poses    [x, y, heading] of the start and of every step, metres and quarter turns from east
    sources  [x, y] of every source, the target first
    target   class of the target's sound
    """
    world = env.unwrapped
    if not hasattr(world, "trajectory"):
        return None
    places = np.round(world.scene.graph.positions[:, :2].astype(float), 2).tolist()
    return {
        "poses": [[*places[node], int(heading)] for node, heading in world.trajectory],
        "sources": [places[node] for node in world.source_nodes],
        "target": world.corpus.classes[int(observation["target"])],
    }


def moves_of(poses: list[list[float]]) -> list[int]:
    """Actions that lead through these poses; a blocked step forward reads as staying."""
    moves = []
    for (x0, y0, before), (x1, y1, after) in pairwise(poses):
        turned = (after - before) % N_HEADINGS
        if turned not in (0, 1, N_HEADINGS - 1):
            raise ValueError(f"no action turns by {turned} quarters, from {before} to {after}")
        if turned:
            moves.append(LEFT if turned == 1 else RIGHT)
        else:
            moves.append(STAY if (x0, y0) == (x1, y1) else FORWARD)
    return moves
