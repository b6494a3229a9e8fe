"""Face the target from the node beside it and hold: the direction of arrival, known.

"DoA" in Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound
Sources", ECCV 2022, supplement section 9, where every episode starts on the target's
node: turn right until a node lies ahead, step onto it, turn right twice so as to face
the target, and hold. Where an episode starts elsewhere it does what leads to the same
place: face the target, walk a shortest way to a node beside it, face it again, hold.

To face the target is the paper's choice, not the best one: where the better ear alone is
scored, a target at one's side is louder at that ear.

Privileged: it knows where the target is and the way there.
"""

from collections.abc import Generator
from typing import Any

import numpy as np

from av_envs.baselines.separation.heuristic import Heuristic
from av_envs.baselines.separation.moves import FORWARD, RIGHT, STAY, first_move, turn_to

Truth = dict[str, np.ndarray]


class DoA(Heuristic):
    """Walks next to the target, faces it and stays. Privileged."""

    privileged = ("bearing_quarters", "distances_after", "forward_is_free", "route_heading")

    def forget(self) -> None:
        self._plan: Generator[int, Truth, None] | None = None

    def move(self, observation: dict[str, Any], privileged: Truth) -> int:
        """The next move of the plan.

        privileged["distances_after"]   (4,) m of walking to the target after each move
        privileged["forward_is_free"]   () bool
        privileged["route_heading"]     () first step to a node beside the target, 0 ahead, 1 left,
                                        2 behind, 3 right; -1 on such a node
        privileged["bearing_quarters"]  () where the target lies, 0..3 likewise
        """
        if self._plan is None:
            on_target = privileged["distances_after"][STAY] == 0
            self._plan = _leave_and_look_back() if on_target else _approach()
            next(self._plan)
        return self._plan.send(privileged)


def _leave_and_look_back() -> Generator[int, Truth, None]:
    """The paper's DoA: yields a move for every truth sent to it."""
    truth = yield STAY
    while not truth["forward_is_free"]:
        truth = yield RIGHT
    yield FORWARD
    yield RIGHT
    yield RIGHT
    while True:
        yield STAY


def _approach() -> Generator[int, Truth, None]:
    """The same for other starts."""
    truth = yield STAY
    while (bearing := int(truth["bearing_quarters"])) != 0:
        truth = yield turn_to(bearing)
    while (way := int(truth["route_heading"])) >= 0:
        truth = yield first_move(way)
    while True:
        truth = yield turn_to(int(truth["bearing_quarters"]))
