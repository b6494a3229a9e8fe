"""The global state of the team, for central critics."""

from collections.abc import Iterable, Sequence

import numpy as np
from gymnasium import spaces

from av_envs.rir_measure.metrics.episode import pes
from av_envs.rir_measure.rewards import Quantities
from av_envs.scene import Scene

PER_ROBOT, SHARED = 8, 5
_COS, _SIN = (1, 0, -1, 0), (0, 1, 0, -1)  # by heading


def state_space(robots: int) -> spaces.Box:
    return spaces.Box(-1, 1, (PER_ROBOT * robots + SHARED,), np.float32)


def state_of(
    scene: Scene,
    trajectories: Iterable[Sequence[tuple[int, int]]],
    stopped: Iterable[bool],
    share_of_time: float,
    quantities: Quantities,
    delta: float,
) -> np.ndarray:
    """(8 robots + 5,) float32; holds poses and scores, no responses.

    Per robot x, y, z as shares of the dwelling's box, sine and cosine of the heading, x and y
    one step before, and whether it stopped. Then the share of the time that is over, the
    coverage, perimeter and area of the hull as shares of the box's, and tanh(delta / 2) of the
    last prediction, 1 if there is none.
    """
    low, high = scene.bounds.astype(float)
    size = high - low
    values: list[float] = []
    for path, stop in zip(trajectories, stopped, strict=True):
        node, heading = path[-1]
        place, earlier = (
            (scene.graph.positions[k] - low) / size for k in (node, path[max(len(path) - 2, 0)][0])
        )
        values += [*place, _SIN[heading], _COS[heading], *earlier[:2], float(stop)]
    values += [
        share_of_time,
        quantities.zeta,
        quantities.psi / (2 * (size[0] + size[1])),
        quantities.phi / (size[0] * size[1]),
        pes(delta),
    ]
    return np.clip(np.array(values, np.float32), -1, 1)
