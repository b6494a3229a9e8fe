"""Base of the teams whose robots take shortest ways to goals on a common map."""

from typing import ClassVar

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import PREDICTOR, count_robots, may_stop, team_card
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.moves import LEFT, STOP
from av_envs.baselines.rir_measure.routes import NEVER
from av_envs.baselines.rir_measure.survey import NEEDED, Survey


class GoalTeam:
    """Every robot goes to the cheapest of its goals and tosses a coin between equals.

    A subclass defines `goals`. The cost of a goal is the number of actions that lead there plus
    `openness` for each of its unvisited neighbours.
    """

    openness: ClassVar[float] = 0.0  # actions

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *,
        seed: int,
        predictor: str = PREDICTOR,
    ):
        self.predictor, self.card = predictor, team_card(type(self).__name__, predictor)
        self._n_robots = count_robots(observation_space, action_space, NEEDED)
        self._survey = Survey(self._n_robots)
        self._rng = np.random.default_rng(seed)

    def reset(self, *, seed: int | None = None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._survey.reset()

    @staticmethod
    def goals(known_map: LatticeMap, actions: np.ndarray) -> np.ndarray:
        """(robots,C) bool, the places where each robot may go; others are left out.

        actions  (robots,C) int32 that each robot needs to each place, NEVER without a way
        """
        raise NotImplementedError

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) int64 actions; observation as `Survey.update` needs it.

        A robot without a goal turns; when no robot has one, they stop if the mask allows it.
        """
        self._survey.update(observation)
        ways = [self._survey.routes(robot) for robot in range(self._n_robots)]
        actions = np.stack([way[0] for way in ways])
        goals = self.goals(self._survey.map, actions) & (actions < NEVER)
        stops = may_stop(observation, self._n_robots) & ~goals.any()
        moves = np.where(stops, STOP, LEFT)
        for robot in np.flatnonzero(goals.any(axis=1)):
            moves[robot] = ways[robot][1][self._cheapest(goals[robot], actions[robot])]
        self._survey.note(moves)
        return moves

    def _cheapest(self, goals: np.ndarray, actions: np.ndarray) -> int:
        known_map, places = self._survey.map, np.flatnonzero(goals)
        beside = known_map.neighbours[places]
        n_open = ((beside >= 0) & known_map.known[beside] & ~known_map.visited[beside]).sum(axis=1)
        costs = actions[places] + self.openness * n_open
        return int(self._rng.choice(places[costs == costs.min()]))
