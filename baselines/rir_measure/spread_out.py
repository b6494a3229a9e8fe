"""The robots divide what is left between them, and each covers its own part."""

import math

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, team_card
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.routes import NEVER
from av_envs.baselines.rir_measure.walking import Walkers

OPENNESS = 0.5  # actions; dead ends first, so that no holes stay behind


class SpreadOut:
    """Goes to the nearest place that nobody has visited in its own part. Not privileged."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card("SpreadOut", predictor)
        self._walkers = Walkers(observation_space, action_space, seed, _goals, OPENNESS)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        self._walkers.reset(seed)

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) actions; observation as `survey.Survey.update` needs it."""
        return self._walkers.act(observation)


def _goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
    """What all can reach goes in equal parts to the robots, each the places that it leads for.

    A robot leads for a place by the actions that it needs less than the best of those who
    choose after it. What only some can reach is theirs. Who has no place of its own helps.
    """
    left, reachable = ~known_map.visited, actions < NEVER
    contested = left & reachable.all(axis=0)
    own = left & reachable & ~contested
    places = np.flatnonzero(contested)
    for robot, needed in enumerate(actions[:-1]):
        lead = actions[robot + 1 :, places].min(axis=0) - needed[places]
        order = np.argsort(-lead, kind="stable")
        share = math.ceil(len(places) / (len(actions) - robot))
        own[robot, places[order[:share]]] = True
        places = places[order[share:]]
    own[-1, places] = True
    return np.where(own.any(axis=1, keepdims=True), own, left)
