"""What no fair team knows, by key; see `MeasureEnv.privileged`."""

from collections.abc import Callable

import numpy as np

from av_envs.rir_measure.measurement import Measurement
from av_envs.scene import NavigationGraph

# from the graph, the visited nodes (N,), the poses (robots, 2) and what was just measured
Truth = Callable[[NavigationGraph, np.ndarray, np.ndarray, Measurement], np.ndarray]

PRIVILEGED: dict[str, Truth] = {
    "neighbours": lambda graph, visited, poses, measured: graph.neighbours,
    "positions": lambda graph, visited, poses, measured: graph.positions,
    "visited": lambda graph, visited, poses, measured: visited,
    "nodes": lambda graph, visited, poses, measured: poses[:, 0],
    "headings": lambda graph, visited, poses, measured: poses[:, 1],
    "rirs": lambda graph, visited, poses, measured: measured.rirs,
}
