"""An egocentric map of visited places, from the positions that the robots of a team observe.

The measuring task observes no map. Covering a dwelling takes one, and drawing it from
`position` and `azimuth` is easier than learning to.
"""

from collections.abc import Mapping

import numpy as np
from gymnasium import spaces

from av_envs.conventions import N_HEADINGS

CELL = 0.5  # m
REACH = 10  # cells that a robot is shown ahead, behind and to each side
SIDE = 2 * REACH + 1
PAGE = 128  # cells along a side of what is remembered, the first robot's start in the middle
NEEDS = ("position", "azimuth")
SPACE = spaces.Box(0, 1, (3, SIDE, SIDE), np.float32)
AHEAD = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])  # cells east and north, per heading


class EgoMap:
    """The map of every team, shown to each of its robots with what is ahead at the top.

    A robot that neither moved nor turned has walked into something, which is then on the map.

    teams, robots  how many, and of how many robots each
    """

    def __init__(self, teams: int, robots: int):
        self._visited = np.zeros((teams, PAGE, PAGE), bool)
        self._blocked = np.zeros((teams, PAGE, PAGE), bool)
        self._origin = np.zeros((teams, 2))
        self._before = np.zeros((teams, robots, 3), int)  # cell and heading

    def drawn(self, observation: Mapping[str, np.ndarray], starts: np.ndarray) -> np.ndarray:
        """(teams robots, 3, 21, 21) float32: where the team has been, where a robot walked into
        something, and where the others are.

        observation  `position` (teams robots, 3) in the frame "scene" and `azimuth` (.., 2)
        starts       (teams,) bool, whose map begins anew

        Raises ValueError where all robots of a team begin at (0, 0), each in a frame of its own.
        """
        robots = self._before.shape[1]
        begun = observation["position"].reshape(len(starts), robots, -1)[starts]
        if robots > 1 and not begun.any(axis=(1, 2)).all():
            raise ValueError(
                "every robot starts at (0, 0), in a frame of its own; a map needs "
                "position_frame='scene'"
            )
        poses = self._poses(observation, starts)
        cells, headings = poses[..., :2], poses[..., 2]
        stuck = (poses == self._before).all(axis=-1) & ~starts[:, np.newaxis]
        self._before = poses
        teams = np.arange(len(starts))[:, np.newaxis]
        self._visited[starts] = self._blocked[starts] = False
        self._visited[teams, cells[..., 0], cells[..., 1]] = True
        ahead = cells + AHEAD[headings]
        np.logical_or.at(self._blocked, (teams, ahead[..., 0], ahead[..., 1]), stuck)
        self._blocked &= ~self._visited
        shown = [
            self._shown(team, robot, cells[team], headings[team, robot])
            for team, robot in np.ndindex(headings.shape)
        ]
        return np.array(shown, np.float32)

    def _poses(self, observation: Mapping[str, np.ndarray], starts: np.ndarray) -> np.ndarray:
        """(teams, robots, 3) int: cells east and north on the page, and the heading."""
        positions = observation["position"][:, :2].reshape(*self._before.shape[:2], 2)
        headings = np.round(observation["azimuth"][:, 0] * N_HEADINGS).astype(int)
        self._origin[starts] = positions[starts, 0]
        cells = np.round((positions - self._origin[:, np.newaxis]) / CELL).astype(int) + PAGE // 2
        cells = np.clip(cells, REACH, PAGE - REACH - 1)
        return np.dstack([cells, headings.reshape(cells.shape[:2])])

    def _shown(self, team: int, robot: int, cells: np.ndarray, heading: int) -> list[np.ndarray]:
        """The layers around one robot."""
        x, y = cells[robot]
        around = np.s_[x - REACH : x + REACH + 1, y - REACH : y + REACH + 1]
        others = np.zeros((SIDE, SIDE), bool)
        apart = np.delete(cells, robot, axis=0) - (x, y) + REACH
        near = apart[((apart >= 0) & (apart < SIDE)).all(axis=1)]
        others[near[:, 0], near[:, 1]] = True
        layers = (self._visited[team][around], self._blocked[team][around], others)
        return [ahead_up(layer, heading) for layer in layers]


def ahead_up(window: np.ndarray, heading: int) -> np.ndarray:
    """(east, north) cells turned so that the first axis runs from ahead to behind and the second
    from left to right.
    """
    north_up = window.T[::-1]
    return np.rot90(north_up, (1 - heading) % N_HEADINGS)
