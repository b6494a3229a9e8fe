"""Where an agent has been, as far as its own poses and bumps tell; of no map, and no truth."""

import math

import numpy as np

from av_envs.baselines.separation.moves import FORWARD

Place = tuple[float, float]  # m forward and left of the start
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # forward and left, by heading
FIRST_STRIDE = 1.0  # m, until a step has shown how long it is
BLOCKED = math.inf


class Walked:
    """The places of an episode, how often each was visited, and what is in the way.

    here       where the agent is
    heading    where it looks, in quarter turns counter-clockwise from the start's heading
    bumped     whether it has just stepped forward and is where it was
    has_moved  whether it has just stepped forward and is elsewhere
    """

    def __init__(self):
        self.here: Place = (0.0, 0.0)
        self.heading = 0
        self.bumped = self.has_moved = False
        self._visits: dict[Place, int] = {}
        self._walls: set[tuple[Place, int]] = set()
        self._stride = FIRST_STRIDE
        self._stepped_from: Place | None = None

    def arrive(self, pose: np.ndarray) -> None:
        """Count this second and find out what became of a step forward.

        pose  (4,): m forward, m left, radians against the start, seconds
        """
        forward, left, turned = (float(value) for value in pose[:3])
        self.here, self.heading = _place(forward, left), round(turned / (math.pi / 2)) % 4
        self.bumped = self._stepped_from == self.here
        self.has_moved = self._stepped_from not in (None, self.here)
        if self.bumped:
            self._walls.add((self.here, self.heading))
        elif self.has_moved:
            self._stride = math.dist(self.here, self._stepped_from)
        self._visits[self.here] = self._visits.get(self.here, 0) + 1

    def leave(self, move: int) -> None:
        """Note the move that is made from here."""
        self._stepped_from = self.here if move == FORWARD else None

    def visits_beyond(self, turn: int) -> float:
        """How often it has been on the node one step away, BLOCKED where no step leads there.

        turn  quarter turns counter-clockwise from where it looks
        """
        heading = (self.heading + turn) % 4
        if (self.here, heading) in self._walls:
            return BLOCKED
        forward, left = STEPS[heading]
        beyond = self.here[0] + self._stride * forward, self.here[1] + self._stride * left
        return self._visits.get(_place(*beyond), 0)


def _place(forward: float, left: float) -> Place:
    """Rounded to a centimetre, more than the errors of float32 and less than any step."""
    return round(forward, 2) + 0.0, round(left, 2) + 0.0
