"""A whole episode played in the mind: robots on a known graph that visit every node."""

import numpy as np
from numba import njit

from av_envs.baselines.rir_measure.moves import FORWARD, LEFT, RIGHT


@njit(cache=True, nogil=True)
def rehearse(
    neighbours: np.ndarray,
    visited: np.ndarray,
    nodes: np.ndarray,
    headings: np.ndarray,
    openness: float,
    liking: np.ndarray,
) -> tuple[np.ndarray, int]:
    """What the robots do if each, as soon as it has no goal, takes the cheapest that is left.

    A goal is an unvisited node that is no other robot's goal. It costs the actions that lead
    there, plus `openness` for each of its unvisited neighbours, so that with a positive value
    dead ends come first and no holes stay behind, plus its `liking`.

    neighbours  (N,4) int32, node one step away by heading, -1 where the way is blocked
    visited     (N,) bool;  nodes, headings  (R,) int64, of the robots
    liking      (N,) float64, >= 0
    Returns actions (steps,R) int8 until all is visited, and the sum over the steps of the
    nodes not visited then; robots without a goal turn left.
    """
    n_robots = len(nodes)
    visited, nodes, headings = visited.copy(), nodes.copy(), headings.copy()
    left = len(visited) - visited.sum()
    actions = np.full((4 * len(visited), n_robots), LEFT, np.int8)
    goals = np.full(n_robots, -1, np.int64)
    plans = np.empty((n_robots, 4 * len(visited)), np.int8)  # the last action first
    lengths = np.zeros(n_robots, np.int64)
    stamp = np.zeros(4 * len(visited), np.int64)  # number of the search that reached a state
    came_from = np.empty((4 * len(visited), 2), np.int64)  # state before, and action
    queue = np.empty((4 * len(visited), 2), np.int64)  # state, actions to it
    search, total, step = 0, 0, 0
    while left:
        if step == len(actions):
            actions = np.concatenate((actions, np.full_like(actions, LEFT)))
        for robot in range(n_robots):
            if goals[robot] < 0 or visited[goals[robot]]:
                search += 1
                state = 4 * nodes[robot] + headings[robot]
                end = _cheapest(
                    neighbours, visited, goals, robot, state, openness, liking,
                    search, stamp, came_from, queue,
                )  # fmt: skip
                goals[robot] = end // 4
                lengths[robot] = 0
                while end >= 0 and end != state:
                    plans[robot, lengths[robot]] = came_from[end, 1]
                    end = came_from[end, 0]
                    lengths[robot] += 1
            if lengths[robot]:
                lengths[robot] -= 1
                actions[step, robot] = plans[robot, lengths[robot]]
        if goals.max() < 0:  # what is left cannot be reached
            break
        for robot in range(n_robots):
            action = actions[step, robot]
            if action == FORWARD:
                nodes[robot] = neighbours[nodes[robot], headings[robot]]
                left -= not visited[nodes[robot]]
                visited[nodes[robot]] = True
            else:
                headings[robot] = (headings[robot] + (1 if action == LEFT else 3)) % 4
        total += left
        step += 1
    return actions[:step], total


@njit(cache=True, nogil=True, forceinline=True)
def _cheapest(
    neighbours, visited, goals, robot, start, openness, liking, search, stamp, came_from, queue
):
    """The state (4 * node + heading) in which the robot reaches its cheapest goal; -1 if none."""
    best, best_cost = -1, np.inf
    queue[0, 0], queue[0, 1], head, tail = start, 0, 0, 1
    stamp[start] = search
    while head < tail and queue[head, 1] < best_cost:
        state, actions = queue[head]
        head += 1
        node, heading = state // 4, state % 4
        if not visited[node]:
            taken, n_open = False, 0
            for other in range(len(goals)):
                taken |= other != robot and goals[other] == node
            for way in range(4):
                n_open += neighbours[node, way] >= 0 and not visited[neighbours[node, way]]
            cost = actions + openness * n_open + liking[node]
            if not taken and cost < best_cost:
                best, best_cost = state, cost
        for action in (FORWARD, LEFT, RIGHT):
            if action == FORWARD:
                after = 4 * neighbours[node, heading] + heading
            else:
                after = 4 * node + (heading + (1 if action == LEFT else 3)) % 4
            if after >= 0 and stamp[after] != search:
                stamp[after] = search
                came_from[after, 0], came_from[after, 1] = state, action
                queue[tail, 0], queue[tail, 1] = after, actions + 1
                tail += 1
    return best
