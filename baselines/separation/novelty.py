"""See as much of the house as possible, whatever it sounds like.

"Novelty" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022, is an agent trained with the reward 1 / sqrt(n) for the n-th visit
of a node (Bellemare et al., "Unifying Count-Based Exploration and Intrinsic
Motivation", NeurIPS 2016), so it likes least visited nodes best. This one does not
learn: it counts its own visits and walks to the adjacent node where that reward is the
largest, that is, where it has been least often.
"""

import math
from typing import Any

from gymnasium import spaces

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import FORWARD, STAY, first_move

Place = tuple[float, float]  # m forward and left of the start
AHEAD, LEFT, BEHIND, RIGHT = range(4)
STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # forward and left, by heading
FIRST_STRIDE = 1.0  # m, until a step has shown how long it is
BLOCKED = math.inf


class Novelty(Heuristic):
    """Goes to the least visited adjacent node. Not privileged.

    It knows its pose from the observation, and that something is in the way from a step
    forward that left it where it was. Of equally new nodes it takes the one with the
    fewest turns, and tosses a coin between left and right.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *, seed: int):
        if "pose" not in observation_space.spaces:
            raise ValueError("Novelty needs the observation 'pose'; the space has none")
        super().__init__(observation_space, action_space, seed=seed)

    def forget(self) -> None:
        self._visits: dict[Place, int] = {}
        self._walls: set[tuple[Place, int]] = set()
        self._stride = FIRST_STRIDE
        self._stepped_from: Place | None = None

    def move(self, observation: dict[str, Any]) -> int:
        """observation["pose"]  (4,): m forward, m left, radians against the start, seconds."""
        forward, left, turned = (float(value) for value in observation["pose"][:3])
        here, heading = _place(forward, left), round(turned / (math.pi / 2)) % 4
        self._learn(here, heading)
        move = self._choose(here, heading)
        self._stepped_from = here if move == FORWARD else None
        return move

    def _learn(self, here: Place, heading: int) -> None:
        """Count this second and find out what became of a step forward."""
        if self._stepped_from == here:
            self._walls.add((here, heading))
        elif self._stepped_from is not None:
            self._stride = math.dist(here, self._stepped_from)
        self._visits[here] = self._visits.get(here, 0) + 1

    def _choose(self, here: Place, heading: int) -> int:
        visits = [self._visits_beyond(here, (heading + turn) % 4) for turn in range(4)]
        least = min(visits)
        if least == BLOCKED:
            return STAY
        sides = [side for side in (LEFT, RIGHT) if visits[side] == least]
        if visits[AHEAD] == least:
            return FORWARD
        return first_move(int(self._rng.choice(sides)) if sides else BEHIND)

    def _visits_beyond(self, here: Place, heading: int) -> float:
        """How often it has been on the node one step away, as far as it knows."""
        if (here, heading) in self._walls:
            return BLOCKED
        forward, left = STEPS[heading]
        beyond = _place(here[0] + self._stride * forward, here[1] + self._stride * left)
        return self._visits.get(beyond, 0)


def _place(forward: float, left: float) -> Place:
    """Rounded to a centimetre, more than the errors of float32 and less than any step."""
    return round(forward, 2) + 0.0, round(left, 2) + 0.0
