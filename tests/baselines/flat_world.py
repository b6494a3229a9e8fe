"""Floor plans drawn by hand, with the truths that the separation environment tells.

`#` wall, `.` floor, `T` the target, `O` other sources, `@` the agent; `X` the agent on the target.
"""

from collections import deque

import numpy as np
from gymnasium import spaces

OBSERVATIONS = spaces.Dict(
    pose=spaces.Box(-100, 100, (4,), np.float32),
    mixture=spaces.Box(0, 20, (2, 512, 32), np.float32),
)
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # by heading: east, north, west, south
FORWARD, LEFT, RIGHT, STAY = range(4)


class FlatWorld:
    """Moves and privileged keys of the environment on an ASCII map."""

    def __init__(self, plan: str, heading: int = 0, stride: float = 1.0):
        rows = plan.split()
        cells = {
            (x, -y): letter
            for y, row in enumerate(rows)
            for x, letter in enumerate(row)
            if letter != "#"
        }
        self.free, self.heading, self.stride = set(cells), heading, stride
        self.at = next(cell for cell, letter in cells.items() if letter in "@X")
        self.target = next((cell for cell, letter in cells.items() if letter in "TX"), None)
        self.sources = [self.target, *(cell for cell, letter in cells.items() if letter == "O")]
        self.solid = set(self.sources) - {self.at}
        self.start, self.start_heading, self.seconds = self.at, heading, 0
        self.visited = [self.at]

    def pose_after(self, move: int) -> tuple[tuple[int, int], int]:
        if move == FORWARD:
            ahead = _beside(self.at, self.heading)
            return (ahead if ahead in self.free - self.solid else self.at), self.heading
        return self.at, (self.heading + {LEFT: 1, RIGHT: -1, STAY: 0}[move]) % 4

    def step(self, move: int) -> None:
        self.at, self.heading = self.pose_after(move)
        self.seconds += 1
        self.visited.append(self.at)

    def observation(self) -> dict[str, np.ndarray]:
        east, north = np.subtract(self.at, self.start) * self.stride
        angle = self.start_heading * np.pi / 2
        forward = east * np.cos(angle) + north * np.sin(angle)
        left = north * np.cos(angle) - east * np.sin(angle)
        turns = (self.heading - self.start_heading + 1) % 4 - 1  # -1, 0, 1, 2
        pose = np.array([forward, left, turns * np.pi / 2, self.seconds], np.float32)
        return {"pose": pose, "mixture": np.zeros((2, 512, 32), np.float32)}

    def truth(self, key: str) -> np.ndarray:
        return np.asarray(getattr(self, key)())

    def forward_is_free(self) -> bool:
        return self.pose_after(FORWARD)[0] != self.at

    def distances_after(self) -> list[float]:
        hops = self._hops([self.target], self.free)
        return [hops[self.pose_after(move)[0]] * self.stride for move in range(4)]

    def straight_after(self) -> list[float]:
        away = [np.subtract(self.pose_after(move)[0], self.target) for move in range(4)]
        return [float(np.hypot(*offset)) * self.stride for offset in away]

    def source_distances(self) -> list[float]:
        return [self._hops([source], self.free)[self.at] * self.stride for source in self.sources]

    def source_routes(self) -> list[int]:
        return [self._route(source) for source in self.sources]

    def source_quarters(self) -> list[int]:
        return [self._quarters(source) for source in self.sources]

    def route_heading(self) -> int:
        return self._route(self.target)

    def bearing_quarters(self) -> int:
        return self._quarters(self.target)

    def _route(self, source: tuple[int, int]) -> int:
        beside = [_beside(source, heading) for heading in range(4)]
        open_cells = self.free - self.solid
        hops = self._hops([cell for cell in beside if cell in open_cells], open_cells)
        if hops.get(self.at) == 0:
            return -1
        for quarters in (0, 1, 3, 2):
            cell = _beside(self.at, (self.heading + quarters) % 4)
            if hops.get(cell, np.inf) < hops.get(self.at, np.inf):
                return quarters
        return -2

    def _quarters(self, source: tuple[int, int]) -> int:
        east, north = np.subtract(source, self.at)
        turns = np.arctan2(north, east) / (np.pi / 2) - self.heading
        return int(np.floor(turns + 0.5 + 1e-6)) % 4

    def _hops(self, ends: list, free: set) -> dict:
        hops, queue = dict.fromkeys(ends, 0), deque(ends)
        while queue:
            cell = queue.popleft()
            for heading in range(4):
                beside = _beside(cell, heading)
                if beside in free and beside not in hops:
                    hops[beside] = hops[cell] + 1
                    queue.append(beside)
        return hops


def walk(world: FlatWorld, agent, n_steps: int = 20) -> list[int]:
    """Moves of an agent that is given what it has declared."""
    moves = []
    for _ in range(n_steps):
        truths = {key: world.truth(key) for key in getattr(agent, "privileged", ())}
        observation = world.observation()
        moves.append(agent.act(observation, truths) if truths else agent.act(observation))
        world.step(moves[-1])
    return moves


def _beside(cell: tuple[int, int], heading: int) -> tuple[int, int]:
    return cell[0] + STEPS[heading][0], cell[1] + STEPS[heading][1]
