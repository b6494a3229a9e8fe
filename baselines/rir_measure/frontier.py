"""Each robot walks to the nearest edge of what is known, then to what is left.

Yamauchi, "A Frontier-Based Approach for Autonomous Exploration", CIRA 1997: the frontier
lies between floor that is known to be free and what nobody has seen; whoever goes there sees
more. When there is no frontier any more the map is complete, but not all of it has been
visited, so the robots go on as `Curiosity` does.
"""

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, team_card
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.routes import NEVER
from av_envs.baselines.rir_measure.walking import Walkers


class Frontier:
    """Explores first and visits later. Not privileged."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card("Frontier", predictor)
        self._walkers = Walkers(observation_space, action_space, seed, _goals)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        self._walkers.reset(seed)

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) actions; observation as `survey.Survey.update` needs it."""
        return self._walkers.act(observation)


def _goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
    frontier = ~known_map.known & (actions < NEVER)
    left = np.broadcast_to(~known_map.visited, actions.shape)
    return np.where(frontier.any(axis=1, keepdims=True), frontier, left)
