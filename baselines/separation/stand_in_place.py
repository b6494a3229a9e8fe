"""Never move: the floor of the leaderboard.

With the reward `si_sdr_gain` its score is zero by construction, so that an agent with a
lower one has learned something harmful. "Stand In-Place" in Majumder and Grauman,
"Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022.
"""

from typing import Any

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import STAY


class StandInPlace(Heuristic):
    """Keeps position and heading. Not privileged."""

    def move(self, observation: dict[str, Any]) -> int:
        return STAY
