"""Each robot walks to the nearest edge of the known floor, then to what is left unvisited.

Yamauchi, "A Frontier-Based Approach for Autonomous Exploration", CIRA 1997: the frontier
lies between floor that is known to be free and what has not been seen; from there more is
seen. Without a frontier the map is complete, but parts of it may be unvisited, and the robots
go on as `Curiosity` does.
"""

import numpy as np

from av_envs.baselines.rir_measure.goal_team import GoalTeam
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.routes import NEVER


class Frontier(GoalTeam):
    """Explores first and visits later. Not privileged."""

    @staticmethod
    def goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
        frontier = ~known_map.known & (actions < NEVER)
        left = np.broadcast_to(~known_map.visited, actions.shape)
        return np.where(frontier.any(axis=1, keepdims=True), frontier, left)
