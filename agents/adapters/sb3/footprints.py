"""Where a team has been, drawn from what its robots observe of their own positions.

The measuring task observes no map. Whoever is to cover a dwelling needs one, and drawing it from
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
SPACE = spaces.Box(0, 1, (2, SIDE, SIDE), np.float32)


class Footprints:
    """The map of every team, shown to each of its robots with what is ahead at the top.

    teams, robots  how many, and of how many robots each
    """

    def __init__(self, teams: int, robots: int):
        self._visited = np.zeros((teams, PAGE, PAGE), bool)
        self._origin = np.zeros((teams, 2))
        self._robots = robots

    def drawn(self, observation: Mapping[str, np.ndarray], starts: np.ndarray) -> np.ndarray:
        """(teams robots, 2, 21, 21) float32: where the team has been, and where the others are.

        observation  `position` (teams robots, 3) in the frame "scene" and `azimuth` (.., 2)
        starts       (teams,) bool, whose map begins anew
        """
        positions = observation["position"][:, :2].reshape(len(starts), self._robots, 2)
        headings = np.round(observation["azimuth"][:, 0] * N_HEADINGS).astype(int)
        self._visited[starts] = False
        self._origin[starts] = positions[starts, 0]
        cells = np.round((positions - self._origin[:, np.newaxis]) / CELL).astype(int) + PAGE // 2
        cells = np.clip(cells, REACH, PAGE - REACH - 1)
        teams = np.arange(len(starts))[:, np.newaxis]
        self._visited[teams, cells[..., 0], cells[..., 1]] = True
        shown = np.zeros((len(starts), self._robots, 2, SIDE, SIDE), np.float32)
        turns = headings.reshape(len(starts), self._robots)
        for team, robot in np.ndindex(turns.shape):
            x, y = cells[team, robot]
            around = np.s_[x - REACH : x + REACH + 1, y - REACH : y + REACH + 1]
            others = np.zeros((PAGE, PAGE), bool)
            rest = np.delete(cells[team], robot, axis=0)
            others[rest[:, 0], rest[:, 1]] = True
            for layer, page in enumerate((self._visited[team], others)):
                shown[team, robot, layer] = ahead_up(page[around], turns[team, robot])
        return shown.reshape(-1, *SPACE.shape)


def ahead_up(window: np.ndarray, heading: int) -> np.ndarray:
    """(east, north) cells turned so that the first axis runs from ahead to behind and the second
    from left to right.
    """
    north_up = window.T[::-1]
    return np.rot90(north_up, (1 - heading) % N_HEADINGS)
