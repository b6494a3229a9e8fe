"""Follow the louder ear, whatever it hears: what approaching a sound is worth without its class.

The control beside `GoToNearest` that any agent could be: it knows no truth. Where the target
and another source are equally far it ends at the target about half of the time; what a policy
scores above it is what listening for the class is worth.

Two ears tell left from right, not ahead from behind. So it keeps a vector in the frame of the
start: every second tells, in dB, how much louder it is on one side of the head than on the
other, and a quarter turn later the same is known of the other axis.
"""

from typing import Any

import numpy as np
from gymnasium import spaces

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import LEFT, RIGHT, STAY, first_move
from av_envs.baselines.separation.walked import Walked

PERSISTENCE = 1.0  # dB, by which another side has to be louder to turn away from what is ahead
FADING = 0.8  # of what is known of the axis ahead, with every step on it
ROUND_TRIP = 4.0  # dB, by which a place has to sound louder for each visit that it has had
LOUD = 4.0  # dB below the loudest second: so loud it is where something stands in the way
BALANCED = 8.0  # dB between the ears, at most, of a source that lies ahead
SILENCE = 1e-3  # energy; below it no side is louder


class GoToLoudest(Heuristic):
    """Walks to where it is loudest and stays there. Not privileged.

    It goes where it sounds louder, round what is in the way, and rather to new places than to
    those where it has been. When something is in its way that neither ear hears better, where
    it is about as loud as it ever was, that is the source: it stays.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, **options: Any):
        missing = [key for key in ("mixture", "pose") if key not in observation_space.spaces]
        if missing:
            lacks = " and ".join(missing)
            raise ValueError(f"GoToLoudest needs the observation {lacks!r}; the space has none")
        super().__init__(observation_space, action_space, **options)

    def forget(self) -> None:
        self._walked = Walked()
        self._towards = 0j  # dB, how much louder it is forward and left of the start's heading
        self._loudest = -np.inf  # dB, of all seconds
        self._has_arrived = False

    def move(self, observation: dict[str, Any]) -> int:
        """The next move.

        observation["mixture"]  (2, F, T) log1p of the magnitude, left ear first
        observation["pose"]     (4,): m forward, m left, radians against the start, seconds
        """
        self._walked.arrive(observation["pose"])
        level = self._hear(observation["mixture"])
        is_at_it = level >= self._loudest - LOUD and abs(self._seen.imag) < BALANCED
        self._has_arrived |= self._walked.bumped and is_at_it
        move = STAY if self._has_arrived else self._choose()
        self._walked.leave(move)
        return move

    def _hear(self, mixture: np.ndarray) -> float:
        """Learn of the axis between the ears; dB of both ears together."""
        energy = np.square(np.expm1(mixture), dtype=np.float64).sum(axis=(1, 2))
        left, right = 10 * np.log10(energy + SILENCE)
        fading = FADING if self._walked.has_moved else 1.0
        self._towards = (fading * self._seen.real + 1j * (left - right)) * self._ahead
        level = float(10 * np.log10(energy.sum() + SILENCE))
        self._loudest = max(self._loudest, level)
        return level

    @property
    def _ahead(self) -> complex:
        """Where it looks, as a direction of `_towards`."""
        return 1j**self._walked.heading

    @property
    def _seen(self) -> complex:
        """`_towards` from where it looks: ahead, and to the left."""
        return self._towards * self._ahead.conjugate()

    def _choose(self) -> int:
        ahead, left = self._seen.real, self._seen.imag
        if not ahead:  # nothing is known of this axis before the first turn
            return LEFT if left >= 0 else RIGHT
        louder = (ahead + PERSISTENCE, left, -ahead, -left)
        visits = [self._walked.visits_beyond(turn) for turn in range(4)]
        worth = [a - ROUND_TRIP * n for a, n in zip(louder, visits, strict=True)]
        best = int(np.argmax(worth))
        if worth[best] == -np.inf:
            return STAY
        return first_move(best)
