"""See as much of the house as possible, whatever it sounds like.

"Novelty" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022, is an agent trained with the reward 1 / sqrt(n) for the n-th visit
of a node (Bellemare et al., "Unifying Count-Based Exploration and Intrinsic
Motivation", NeurIPS 2016), so it likes least visited nodes best. This one does not
learn: it counts its own visits and walks to the adjacent node where that reward is the
largest, that is, where it has been least often.
"""

from typing import Any

from gymnasium import spaces

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import FORWARD, STAY, first_move
from av_envs.baselines.separation.walked import BLOCKED, Walked

AHEAD, LEFT, BEHIND, RIGHT = range(4)


class Novelty(Heuristic):
    """Goes to the least visited adjacent node. Not privileged.

    It knows its pose from the observation, and that something is in the way from a step
    forward that left it where it was. Of equally new nodes it takes the one with the
    fewest turns, and tosses a coin between left and right.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, **options: Any):
        if "pose" not in observation_space.spaces:
            raise ValueError("Novelty needs the observation 'pose'; the space has none")
        super().__init__(observation_space, action_space, **options)

    def forget(self) -> None:
        self._walked = Walked()

    def move(self, observation: dict[str, Any]) -> int:
        """observation["pose"]  (4,): m forward, m left, radians against the start, seconds."""
        self._walked.arrive(observation["pose"])
        move = self._choose()
        self._walked.leave(move)
        return move

    def _choose(self) -> int:
        visits = [self._walked.visits_beyond(turn) for turn in range(4)]
        least = min(visits)
        if least == BLOCKED:
            return STAY
        sides = [side for side in (LEFT, RIGHT) if visits[side] == least]
        if visits[AHEAD] == least:
            return FORWARD
        return first_move(int(self._rng.choice(sides)) if sides else BEHIND)
