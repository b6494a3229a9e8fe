"""Never move: the floor of the leaderboard.

With the reward `si_sdr_gain` its score is zero by construction, so whoever scores
less has learned something harmful. "Stand In-Place" in Majumder and Grauman,
"Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022.
"""

from typing import Any

from gymnasium import spaces

from av_envs.baselines.separation.answer import Answer
from av_envs.baselines.separation.moves import STAY


class StandInPlace:
    """Keeps position and heading. Not privileged."""

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *, seed: int):
        self._answer = Answer(observation_space, action_space)

    def reset(self, *, seed: int | None = None) -> None:
        """Nothing to forget."""

    def act(self, observation: dict[str, Any]) -> int | dict[str, Any]:
        return self._answer(STAY, observation)
