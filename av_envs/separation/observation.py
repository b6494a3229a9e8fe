"""What the agent may know: the observation space and the agent's own pose."""

import math

import numpy as np
from gymnasium import spaces

from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.config import SeparationConfig
from av_envs.separation.privileged import wrapped
from av_envs.vision import IMAGE_SIZE

REACH = 100.0  # m, bound of the pose
LOUDEST = 20.0  # bound of the log-magnitude


def observation_space(config: SeparationConfig, n_classes: int) -> spaces.Dict:
    """The spaces of the observations that the config picks."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    bounds = np.array([REACH, REACH, np.pi, config.steps], np.float32)
    every = {
        "rgb": spaces.Box(0, 255, (*size, 3), np.uint8),
        "depth": spaces.Box(0, 1, (*size, 1), np.float32),
        "mixture": spaces.Box(0, LOUDEST, (2, 512, 32), np.float32),
        "target": spaces.Discrete(n_classes),
        "pose": spaces.Box(bounds * np.float32([-1, -1, -1, 0]), bounds, dtype=np.float32),
        "waveform": spaces.Box(-np.inf, np.inf, (2, SAMPLE_RATE), np.float32),
    }
    return spaces.Dict({key: every[key] for key in config.observations})


def pose_since(
    positions: np.ndarray, start: tuple[int, int], now: tuple[int, int], t: int
) -> np.ndarray:
    """(4,) float32: metres forward and left of the start, radians turned, seconds.

    positions   (N, 3) metres, of all nodes
    start, now  node and heading
    """
    (start_node, start_heading), (node, heading) = start, now
    east, north = (positions[node] - positions[start_node])[:2]
    angle = start_heading * math.pi / 2
    forward = east * math.cos(angle) + north * math.sin(angle)
    left = north * math.cos(angle) - east * math.sin(angle)
    return np.array(
        [forward, left, wrapped((heading - start_heading) * math.pi / 2), t], np.float32
    )
