"""Each robot walks to the nearest place that no robot has visited.

"Curiosity" in Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI
2023, is their network trained with the coverage reward alone (alpha_zeta = 1, alpha_psi =
alpha_phi = 0). This one does not learn: it takes the shortest way to the next gain of that
reward. The robots share their map but not their goals.
"""

import numpy as np

from av_envs.baselines.rir_measure.goal_team import GoalTeam
from av_envs.baselines.rir_measure.mapping import LatticeMap


class Curiosity(GoalTeam):
    """Goes to the nearest unvisited place. Not privileged."""

    @staticmethod
    def goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
        return np.broadcast_to(~known_map.visited, actions.shape)
