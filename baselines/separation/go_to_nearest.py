"""Walk to the nearest source, whatever it plays: what getting close is worth without listening.

A control for the tasks in which the class decides. Where the target and another source are
equally far, it stands beside the wrong one half of the time; what `DoA` scores above it is
what knowing the target is worth.

Privileged: it knows where the sources are, but not which of them is the target.
"""

from typing import Any

import numpy as np

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import first_move, turn_to

NO_WAY = -2  # other sources bar every way


class GoToNearest(Heuristic):
    """Walks next to the source that was nearest at the start, faces it and stays. Privileged.

    It tosses a coin between equally near ones, as the order of the sources tells which is the
    target. Sources without a way to them do not count.
    """

    privileged = ("source_distances", "source_quarters", "source_routes")

    def forget(self) -> None:
        self._goal: int | None = None

    def move(self, observation: dict[str, Any], privileged: dict[str, np.ndarray]) -> int:
        """The next move.

        privileged["source_distances"]  (S,) m of walking to each source
        privileged["source_routes"]     (S,) first step to a node beside each, 0 ahead, 1 left,
                                        2 behind, 3 right; -1 on such a node, -2 without a way
        privileged["source_quarters"]   (S,) where each source lies, 0..3 likewise
        """
        if self._goal is None:
            self._goal = self._nearest(privileged)
        way = int(privileged["source_routes"][self._goal])
        if way >= 0:
            return first_move(way)
        return turn_to(int(privileged["source_quarters"][self._goal]))

    def _nearest(self, privileged: dict[str, np.ndarray]) -> int:
        is_barred = privileged["source_routes"] == NO_WAY
        if is_barred.all():
            raise ValueError("no source can be walked to")
        away = np.where(is_barred, np.inf, privileged["source_distances"])
        return int(self._rng.choice(np.flatnonzero(away == away.min())))
