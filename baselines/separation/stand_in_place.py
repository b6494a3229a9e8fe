"""Never move: the floor of the leaderboard.

With the reward `si_sdr_gain` its score is zero by construction, so whoever scores
less has learned something harmful. "Stand In-Place" in Majumder and Grauman,
"Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022.
"""

from typing import Any

from gymnasium import spaces

STAY = 3


class StandInPlace:
    """Keeps position and heading."""

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Discrete, *, seed: int
    ):
        if not action_space.contains(STAY):
            raise ValueError(f"StandInPlace needs action {STAY} (stay), got {action_space}")

    def reset(self, *, seed: int | None = None) -> None:
        """Nothing to forget."""

    def act(self, observation: dict[str, Any]) -> int:
        return STAY
