"""Each robot walks to the nearest place where no robot has been.

"Curiosity" in Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI
2023, is their network trained with the coverage reward alone (alpha_zeta = 1, alpha_psi =
alpha_phi = 0). This one does not learn: it takes the shortest way to the next gain of that
reward. The robots share what they know but do not agree on who goes where.
"""

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, team_card
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.walking import Walkers


class Curiosity:
    """Goes to the nearest place that nobody has visited. Not privileged."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card("Curiosity", predictor)
        self._walkers = Walkers(observation_space, action_space, seed, _goals)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        self._walkers.reset(seed)

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) actions; observation as `survey.Survey.update` needs it."""
        return self._walkers.act(observation)


def _goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
    return np.broadcast_to(~known_map.visited, actions.shape)
