"""What the agent may know: the choices of the option `observations`, each a space and a writer."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from gymnasium import spaces

from av_envs.conventions import SAMPLE_RATE
from av_envs.separation.privileged import wrapped
from av_envs.separation.state import EpisodeState, Pose
from av_envs.vision import IMAGE_SIZE

REACH = 100.0  # m, bound of the pose
LOUDEST = 20.0  # bound of the log-magnitude


class Options(Protocol):
    """What the spaces depend on, of a `SeparationConfig`."""

    @property
    def observations(self) -> tuple[str, ...]: ...
    @property
    def steps(self) -> int: ...


class Sensor(NamedTuple):
    """One key of an observation.

    space  of the options and the number of classes of sounds
    write  puts what the agent senses in a state into an array of that space
    """

    space: Callable[[Options, int], spaces.Space]
    write: Callable[[EpisodeState, np.ndarray], None]


def _rgb_space(options: Options, n_classes: int) -> spaces.Box:
    return spaces.Box(0, 255, (IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)


def _write_rgb(state: EpisodeState, into: np.ndarray) -> None:
    into[:] = state.view[0]


def _depth_space(options: Options, n_classes: int) -> spaces.Box:
    return spaces.Box(0, 1, (IMAGE_SIZE, IMAGE_SIZE, 1), np.float32)


def _write_depth(state: EpisodeState, into: np.ndarray) -> None:
    into[:] = state.view[1]


def _mixture_space(options: Options, n_classes: int) -> spaces.Box:
    return spaces.Box(0, LOUDEST, (2, 512, 32), np.float32)


def _write_mixture(state: EpisodeState, into: np.ndarray) -> None:
    np.log1p(state.audio.spectrogram, out=into)


def _target_space(options: Options, n_classes: int) -> spaces.Discrete:
    return spaces.Discrete(n_classes)


def _write_target(state: EpisodeState, into: np.ndarray) -> None:
    into[...] = state.target.label


def _pose_space(options: Options, n_classes: int) -> spaces.Box:
    bounds = np.array([REACH, REACH, np.pi, options.steps], np.float32)
    return spaces.Box(bounds * np.float32([-1, -1, -1, 0]), bounds, dtype=np.float32)


def _write_pose(state: EpisodeState, into: np.ndarray) -> None:
    positions = state.dwelling.scene.graph.positions
    into[:] = pose_since(positions, state.trajectory[0], state.pose, state.t)


def _waveform_space(options: Options, n_classes: int) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, (2, SAMPLE_RATE), np.float32)


def _write_waveform(state: EpisodeState, into: np.ndarray) -> None:
    into[:] = state.audio.waveform


OBSERVATIONS: dict[str, Sensor] = {
    "rgb": Sensor(_rgb_space, _write_rgb),
    "depth": Sensor(_depth_space, _write_depth),
    "mixture": Sensor(_mixture_space, _write_mixture),
    "target": Sensor(_target_space, _write_target),
    "pose": Sensor(_pose_space, _write_pose),
    "waveform": Sensor(_waveform_space, _write_waveform),
}


def observation_space(options: Options, n_classes: int) -> spaces.Dict:
    """The spaces of the observations that the options pick."""
    keys = options.observations
    return spaces.Dict({key: OBSERVATIONS[key].space(options, n_classes) for key in keys})


def pose_since(positions: np.ndarray, start: Pose, now: Pose, t: int) -> np.ndarray:
    """(4,) float32: metres forward and left of the start, radians turned, seconds.

    positions   (N, 3) metres, of all nodes
    """
    (start_node, start_heading), (node, heading) = start, now
    east, north = (positions[node] - positions[start_node])[:2]
    angle = start_heading * math.pi / 2
    forward = east * math.cos(angle) + north * math.sin(angle)
    left = north * math.cos(angle) - east * math.sin(angle)
    return np.array(
        [forward, left, wrapped((heading - start_heading) * math.pi / 2), t], np.float32
    )
