"""The places where a robot may go next, as a network is shown them.

The map and the ways on it are those of the rules, `av_envs.baselines.rir_measure`: drawn from depth
images, steps and bumps. Which of its unvisited places a robot goes to is what is learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from av_envs.plugins import load
from av_envs.rir_measure.actions import Action

SURVEY = "av_envs.baselines.rir_measure.survey:Survey"
NEEDED = ("azimuth", "depth", "position")  # observations
MOST = 48  # places that are offered to a robot, those which take the fewest actions
NEVER = np.iinfo(np.int32).max  # actions to what cannot be reached, as the survey says it
FAR = 64  # actions that stand for more and for never
ACTIONS = 16.0  # that become 1
SIDE = 128  # places along a side of the map
REACHES = (1, 3, 7)  # places to each side of the squares in which is counted what is left
STRIDES = 10.0  # that become 1
FEATURES = 21  # numbers that describe a place


@dataclass(frozen=True)
class Offer:
    """What R robots may choose from; where nothing is left there is one place, their own.

    features  (R, MOST, FEATURES) float32, 0 where there is no place
    mask      (R, MOST) bool, where there is one
    places    (R, MOST) int, of the map, -1 where there is none
    moves     (R, MOST) int, the first action on the way
    """

    features: np.ndarray
    mask: np.ndarray
    places: np.ndarray
    moves: np.ndarray


class PlaceBook:
    """What a team of `robots` knows in an episode, and what each was heading for."""

    def __init__(self, robots: int):
        self.robots = robots
        self.survey = load(SURVEY, "survey")(robots)
        self.reset()

    def reset(self) -> None:
        """Begin an episode."""
        self.survey.reset()
        self.goals = np.full(self.robots, -1)

    def offer(self, observation: Mapping[str, Any]) -> Offer:
        """Take in what the robots observe, see `Survey.update`, and say where they may go."""
        self.survey.update(observation)
        ways = [self.survey.routes(robot) for robot in range(self.robots)]
        actions = np.stack([way[0] for way in ways])
        left = ~self.survey.map.visited
        reachable = left & (actions < NEVER).any(axis=0)
        time = float(np.asarray(observation["azimuth"])[0, 1])
        offered = Offer(
            np.zeros((self.robots, MOST, FEATURES), np.float32),
            np.zeros((self.robots, MOST), bool),
            np.full((self.robots, MOST), -1),
            np.full((self.robots, MOST), int(Action.LEFT)),
        )
        for robot, (needed, first) in enumerate(ways):
            places = np.flatnonzero(left & (needed < NEVER))
            places = places[np.argsort(needed[places], kind="stable")[:MOST]]
            count = len(places)
            offered.mask[robot, : max(count, 1)] = True
            offered.places[robot, :count] = places
            offered.moves[robot, :count] = first[places]
            if count:
                counted = counted_around(reachable, self.survey.map.seen, places)
                described = self._described(robot, places, actions, counted, time)
                offered.features[robot, :count] = described
        self._offered = offered
        return offered

    def take(self, choices: np.ndarray) -> np.ndarray:
        """(R,) moves towards the chosen of the offered places, by number in 0..MOST-1."""
        rows = np.arange(self.robots)
        self.goals = self._offered.places[rows, choices]
        moves = self._offered.moves[rows, choices]
        self.survey.note(moves)
        return moves

    def _described(
        self,
        robot: int,
        places: np.ndarray,
        actions: np.ndarray,
        counted: np.ndarray,
        time: float,
    ) -> np.ndarray:
        """(K, FEATURES) of places (K,)."""
        others = np.delete(np.minimum(actions, FAR), robot, axis=0)
        nearest = others.min(axis=0) if len(others) else np.full(actions.shape[1], FAR)
        own = np.minimum(actions[robot], FAR)
        lead = (nearest - own)[places]
        known_map, here = self.survey.map, int(self.survey.places[robot])
        beside = known_map.neighbours[places]
        is_open, is_known = beside >= 0, known_map.known[beside]
        visited = known_map.visited[beside]
        around = (is_open & is_known & ~visited, is_open & visited, is_open & ~is_known, ~is_open)
        goals = np.delete(self.goals, robot)
        far = [_strides(places, int(goal)) for goal in goals if goal >= 0]
        columns = [
            own[places] / ACTIONS,
            np.log1p(own[places]) / np.log1p(FAR),
            nearest[places] / ACTIONS,
            lead / ACTIONS,
            np.argsort(np.argsort(-lead, kind="stable")) / len(places),
            known_map.seen[places],
            *(each.mean(axis=1) for each in around),
            *counted.T,
            places == self.goals[robot],
            np.min(far, axis=0) if far else np.ones(len(places)),
            _strides(places, here),
            np.full(len(places), time),
            np.full(len(places), len(places) / MOST),
        ]
        return np.stack(columns, axis=1)


def _strides(places: np.ndarray, place: int) -> np.ndarray:
    """(K,) strides east and north between places of the map and one of them, up to 2."""
    east, north = np.divmod(places, SIDE)
    column, row = divmod(place, SIDE)
    return np.minimum((np.abs(east - column) + np.abs(north - row)) / STRIDES, 2.0)


@njit(cache=True, nogil=True)
def counted_around(left: np.ndarray, seen: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(K, 2 * len(REACHES)): the share that is left and seen, then left and unseen, of squares.

    left, seen  (C,) bool
    places      (K,) int, in the middle of the squares
    """
    counts = np.zeros((len(places), 2 * len(REACHES)), np.float32)
    for row, place in enumerate(places):
        column, line = place // SIDE, place % SIDE
        for k, reach in enumerate(REACHES):
            size = (2 * reach + 1) ** 2
            for x in range(max(column - reach, 0), min(column + reach + 1, SIDE)):
                for y in range(max(line - reach, 0), min(line + reach + 1, SIDE)):
                    other = x * SIDE + y
                    if left[other]:
                        counts[row, k if seen[other] else k + len(REACHES)] += 1 / size
    return counts
