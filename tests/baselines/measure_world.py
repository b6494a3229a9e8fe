"""Floor plans drawn by hand, with what robots observe there.

`#` a block from floor to ceiling, as wide as a step; `.` floor; `0` to `3` the robots.
Around the plan are blocks, too.
"""

import numpy as np
from gymnasium import spaces

STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # by heading: east, north, west, south
STOP, FORWARD, LEFT, RIGHT = range(4)
EYE = 1.5  # m above the floor
TANGENTS = (np.arange(128) + 0.5) / 64 - 1  # of the columns to the right, of the rows down


def observation_space(n_robots: int) -> spaces.Dict:
    return spaces.Dict(
        depth=spaces.Box(0, 1, (n_robots, 128, 128, 1), np.float32),
        azimuth=spaces.Box(0, 1, (n_robots, 2), np.float32),
        position=spaces.Box(-1000, 1000, (n_robots, 3), np.float32),
        action_mask=spaces.Box(0, 1, (n_robots, 4), np.int8),
    )


class MeasureWorld:
    """The joint view of the room on an ASCII map."""

    def __init__(self, plan: str, headings=(0, 0, 0, 0), stride: float = 0.5, steps: int = 250):
        rows = plan.split()
        cells = {(x, -y): letter for y, row in enumerate(rows) for x, letter in enumerate(row)}
        self.cells = [cell for cell, letter in cells.items() if letter != "#"]
        self.number = {cell: k for k, cell in enumerate(self.cells)}
        starts = {letter: cell for cell, letter in cells.items() if letter.isdigit()}
        self.at = [starts[letter] for letter in sorted(starts)]
        self.n_robots = len(self.at)
        self.headings = list(headings[: self.n_robots])
        self.stride, self.steps, self.t, self.bumps = stride, steps, 0, 0
        self.visited = set(self.at)
        self._depths: dict[tuple, np.ndarray] = {}
        self.observation_space = observation_space(self.n_robots)
        self.action_space = spaces.MultiDiscrete([4] * self.n_robots)
        beside = {(x + dx, y + dy) for x, y in self.cells for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
        self.blocks = np.array(sorted(beside - set(self.cells)), float)

    @property
    def coverage(self) -> float:
        return len(self.visited) / len(self.cells)

    def step(self, actions) -> None:
        for robot, action in enumerate(actions):
            if action == FORWARD:
                ahead = _beside(self.at[robot], self.headings[robot])
                self.bumps += ahead not in self.number
                self.at[robot] = ahead if ahead in self.number else self.at[robot]
            turn = {LEFT: 1, RIGHT: -1}.get(action, 0)
            self.headings[robot] = (self.headings[robot] + turn) % 4
        self.visited.update(self.at)
        self.t += 1

    def observation(self) -> dict[str, np.ndarray]:
        time = np.full(self.n_robots, self.t / self.steps)
        places = 10.5 + self.stride * np.array(self.at, float)
        mask = np.ones((self.n_robots, 4), np.int8)
        mask[:, STOP] = self.t >= self.steps - 1
        return {
            "depth": np.stack(list(map(self.depth, self.at, self.headings))),
            "azimuth": np.stack([np.array(self.headings) / 4, time], 1).astype(np.float32),
            "position": np.column_stack([places, np.zeros(self.n_robots)]).astype(np.float32),
            "action_mask": mask,
        }

    def depth(self, cell: tuple[int, int], heading: int) -> np.ndarray:
        """(128, 128, 1) float32: the nearest block in every column, and the floor before it."""
        if (cell, heading) not in self._depths:
            wall = self._nearest_blocks(cell, heading)
            floor = np.where(TANGENTS > 0, EYE / np.abs(TANGENTS), np.inf)
            depth = np.minimum(np.minimum(wall, floor[:, None]), 10) / 10
            self._depths[cell, heading] = depth[:, :, None].astype(np.float32)
        return self._depths[cell, heading]

    def _nearest_blocks(self, cell: tuple[int, int], heading: int) -> np.ndarray:
        """(128,) m along the view axis, by column."""
        east, north = STEPS[heading]
        ways = np.stack([east + TANGENTS * north, north - TANGENTS * east], -1)[:, None]
        middles, half = (self.blocks - cell) * self.stride, self.stride / 2
        sides = np.stack([(middles - half) / ways, (middles + half) / ways])
        enters, leaves = sides.min(0).max(-1), sides.max(0).min(-1)
        return np.where((enters < leaves) & (enters > 0), enters, np.inf).min(1)

    def privileged(self, key: str) -> np.ndarray:
        return {
            "neighbours": lambda: np.array(
                [[self.number.get(_beside(c, h), -1) for h in range(4)] for c in self.cells],
                np.int32,
            ),
            "visited": lambda: np.array([cell in self.visited for cell in self.cells]),
            "nodes": lambda: np.array([self.number[cell] for cell in self.at]),
            "headings": lambda: np.array(self.headings),
        }[key]()


def play(world: MeasureWorld, team, n_steps: int) -> list[np.ndarray]:
    """Actions of a team that is given what it has declared."""
    taken = []
    for _ in range(n_steps):
        truth = {key: world.privileged(key) for key in getattr(team, "privileged", ())}
        taken.append(team.act(world.observation(), *([truth] if truth else [])))
        world.step(taken[-1])
    return taken


def _beside(cell: tuple[int, int], heading: int) -> tuple[int, int]:
    return cell[0] + STEPS[heading][0], cell[1] + STEPS[heading][1]
