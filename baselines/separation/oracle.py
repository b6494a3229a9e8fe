"""Take the action whose next second will sound best, knowing the truth.

Privileged: it reads the gain of every action from the simulator. It is greedy and
looks one second ahead, so it is *no upper bound*: it stops at the first pose from
which every single action makes things worse, where an agent that plans may walk on.
"""

from typing import Any

import numpy as np

from av_envs.baselines.separation.heuristic import MOVES, Heuristic
from av_envs.baselines.separation.moves import STAY

TIE = 1e-4  # dB; differences below this are rounding, not sound


class Oracle(Heuristic):
    """Greedy on the true gain of the next second; of equals it prefers to stay. Privileged."""

    privileged = ("action_gains",)

    def move(self, observation: dict[str, Any], privileged: dict[str, np.ndarray]) -> int:
        """The best move.

        privileged["action_gains"]  (4,) dB, what the next second would bring; all nan if the
                                    target will be silent, then it stays
        """
        return _best(np.asarray(privileged["action_gains"], np.float64))


def _best(gains: np.ndarray) -> int:
    if gains.shape == (MOVES.n,) and np.isnan(gains).all():
        return STAY
    if gains.shape != (MOVES.n,) or not np.isfinite(gains).all():
        raise ValueError(f"action_gains must be {MOVES.n} finite numbers, got {gains}")
    best = np.flatnonzero(gains >= gains.max() - TIE)
    return STAY if STAY in best else int(best[0])
