"""The robots divide what is left between them, and each covers its own part."""

import math
from typing import ClassVar

import numpy as np

from av_envs.baselines.rir_measure.goal_team import GoalTeam
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.routes import NEVER


class SpreadOut(GoalTeam):
    """Goes to the nearest unvisited place in its own part. Not privileged."""

    openness: ClassVar[float] = 0.5  # actions; dead ends first, so that no holes stay behind

    @staticmethod
    def goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
        """What all can reach goes in equal parts to the robots, each the places that it leads for.

        A robot leads for a place by the actions that it needs less than the best of those that
        choose after it. What only some can reach is theirs. A robot without a place of its own
        may go to any that is left.
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
