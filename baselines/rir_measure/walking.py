"""Robots that walk to goals on the common map; the baselines say which goals."""

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from av_envs.baselines.rir_measure.entry import count_robots, may_stop
from av_envs.baselines.rir_measure.mapping import LatticeMap
from av_envs.baselines.rir_measure.moves import LEFT, STOP
from av_envs.baselines.rir_measure.routes import NEVER
from av_envs.baselines.rir_measure.survey import NEEDED, Survey

Goals = Callable[[LatticeMap, np.ndarray], np.ndarray]


class Walkers:
    """All robots of a team, on one map.

    goals     given the map and the actions (robots,C) int32 that each robot needs to each
              place, tells (robots,C) bool where each of them may go; every robot takes the
              cheapest, by the actions that it needs, and tosses a coin between equals
    openness  what a goal costs besides, for each of its unvisited neighbours
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        seed: int,
        goals: Goals,
        openness: float = 0.0,
    ):
        self._n_robots = count_robots(observation_space, action_space, NEEDED)
        self._goals, self._openness = goals, openness
        self._survey = Survey(self._n_robots)
        self._rng = np.random.default_rng(seed)

    def reset(self, seed: int | None) -> None:
        """Start an episode: forget the map; without a seed the coin tosses go on."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._survey.reset()

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """(robots,) int64; who has nowhere to go turns; when nobody has, they stop if they may."""
        self._survey.update(observation)
        ways = [self._survey.routes(robot) for robot in range(self._n_robots)]
        actions = np.stack([way[0] for way in ways])
        goals = self._goals(self._survey.map, actions) & (actions < NEVER)
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
        costs = actions[places] + self._openness * n_open
        return int(self._rng.choice(places[costs == costs.min()]))
