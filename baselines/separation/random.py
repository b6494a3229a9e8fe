"""Draw every move blindly: what moving without hearing is worth.

"Random" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022; their three moves and, because the task here has it, staying.
"""

from typing import Any

from av_envs.baselines.separation.heuristic import MOVES, Heuristic


class Random(Heuristic):
    """Uniform over the four moves, from its own generator. Not privileged."""

    def move(self, observation: dict[str, Any]) -> int:
        return int(self._rng.integers(MOVES.n))
