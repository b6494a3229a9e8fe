"""Shortest ways by number of actions, turns included."""

import numpy as np
from numba import njit

from av_envs.baselines.rir_measure.moves import FORWARD, LEFT, RIGHT, STOP

NEVER = np.iinfo(np.int32).max  # actions to a place that cannot be reached


@njit(cache=True, nogil=True)
def routes(
    neighbours: np.ndarray, passable: np.ndarray, place: int, heading: int
) -> tuple[np.ndarray, np.ndarray]:
    """How far every place is from a pose, and the first action on the way.

    neighbours  (C,4) int32, place one step away by heading 0 east, 1 north, 2 west, 3 south;
                -1 where the way is blocked
    passable    (C,) bool; the other places can be reached, but no way leads through them
    Returns actions (C,) int32, the fewest that end on the place, whichever way one then
    faces, NEVER if none do; and first (C,) int8, the first of these actions, STOP at
    `place` itself and where there is no way.
    """
    n = len(neighbours)
    actions = np.full(n, NEVER, np.int32)
    first = np.full(n, STOP, np.int8)
    done = np.zeros(4 * n, np.bool_)
    queue = np.empty(4 * n, np.int32)  # states, 4 * place + heading, in order of reaching
    length, setting_out = np.empty(4 * n, np.int32), np.empty(4 * n, np.int8)
    start = 4 * place + heading
    queue[0], head, tail = start, 0, 1
    done[start], length[start], setting_out[start] = True, 0, STOP
    while head < tail:
        state = queue[head]
        head += 1
        here, facing = state // 4, state % 4
        if length[state] < actions[here]:
            actions[here], first[here] = length[state], setting_out[state]
        if not passable[here] and here != place:
            continue
        for action in (FORWARD, LEFT, RIGHT):
            if action == FORWARD:
                ahead = neighbours[here, facing]
                if ahead < 0:
                    continue
                other = 4 * ahead + facing
            else:
                other = 4 * here + (facing + (1 if action == LEFT else 3)) % 4
            if not done[other]:
                done[other] = True
                length[other] = length[state] + 1
                setting_out[other] = action if state == start else setting_out[state]
                queue[tail] = other
                tail += 1
    return actions, first
