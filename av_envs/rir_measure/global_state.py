"""The global state of the team, for central critics."""

import numpy as np
from gymnasium import spaces

from av_envs.conventions import HEADING_STEPS
from av_envs.rir_measure.metrics.episode import pes
from av_envs.rir_measure.state import EpisodeState

PER_ROBOT, SHARED = 8, 5


def global_state_space(robots: int) -> spaces.Box:
    """Of `global_state`."""
    return spaces.Box(-1, 1, (PER_ROBOT * robots + SHARED,), np.float32)


def global_state(state: EpisodeState) -> np.ndarray:
    """(8 robots + 5,) float32; holds poses and scores, no responses.

    Per robot x, y, z as shares of the dwelling's box, sine and cosine of the heading, x and y
    one step before, and whether it stopped. Then the share of the time that is over, the
    coverage, perimeter and area of the hull as shares of the box's, and tanh(delta / 2) of the
    last prediction, 1 if there is none.
    """
    low, high = state.scene.bounds.astype(float)
    size, positions = high - low, state.scene.graph.positions
    values: list[float] = []
    for robot in state.robots.values():
        (node, heading), path = robot.pose, robot.trajectory
        place, earlier = (
            (positions[k] - low) / size for k in (node, path[max(len(path) - 2, 0)][0])
        )
        cos, sin = HEADING_STEPS[heading]
        values += [*place, sin, cos, *earlier[:2], float(robot.stopped)]
    perimeter, area = state.hull
    values += [
        state.share_of_time,
        state.quantities["zeta"],
        perimeter / (2 * (size[0] + size[1])),
        area / (size[0] * size[1]),
        pes(state.scorer.delta),
    ]
    return np.clip(np.array(values, np.float32), -1, 1)
