"""True values that fair teams are not told, by key; see `MeasureEnv.privileged`."""

from collections.abc import Callable

import numpy as np

from av_envs.rir_measure.state import EpisodeState

PRIVILEGED: dict[str, Callable[[EpisodeState], np.ndarray]] = {
    "neighbours": lambda state: state.scene.graph.neighbours,
    "positions": lambda state: state.scene.graph.positions,
    "visited": lambda state: state.visited,
    "nodes": lambda state: np.array(state.poses)[:, 0],
    "headings": lambda state: np.array(state.poses)[:, 1],
    "rirs": lambda state: state.measurement.rirs,
}
