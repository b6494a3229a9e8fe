"""What a robot observes: one sensor per key.

A new key is an entry of `SENSORS` and its name in `av_envs.rir_measure.config.OBSERVATIONS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import HEADING_STEPS, N_HEADINGS
from av_envs.rir_measure.actions import Action
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.predictors import JointObservation
from av_envs.rir_measure.schedule import Roster
from av_envs.rir_measure.state import EpisodeState, Pose, RobotState
from av_envs.scene import CATEGORIES
from av_envs.vision import IMAGE_SIZE

FARTHEST = 1000.0  # m, bound of all positions
MEMORY = 16  # joint observations that a predictor is shown
IMAGE = (IMAGE_SIZE, IMAGE_SIZE)


@dataclass
class Viewpoint:
    """One robot in one pose of an episode, as its sensors read it.

    pose  the present one, or for `Sensor.of_pose` any other
    """

    state: EpisodeState
    robot: str
    pose: Pose

    @cached_property
    def pictures(self) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128, 1) float32, rendered together."""
        return self.state.dwelling.views.view(*self.pose)


class Sensor(NamedTuple):
    """One key of an observation.

    space    of a robot that receives `n_heard` responses per step
    read     the array
    of_pose  the array depends on nothing but the dwelling and the pose: copies and pickles of an
             episode leave it out and read it again
    """

    space: Callable[[MeasureConfig, int], spaces.Box]
    read: Callable[[Viewpoint], np.ndarray]
    of_pose: bool = False


def observation_space(roster: Roster, robot: str) -> spaces.Dict:
    """Of one robot."""
    config, n_heard = roster.config, len(roster.heard[robot])
    return spaces.Dict({key: SENSORS[key].space(config, n_heard) for key in config.observed})


def observation_of(state: EpisodeState, robot: str) -> dict[str, np.ndarray]:
    """What one robot observes now."""
    view = Viewpoint(state, robot, state.robots[robot].pose)
    return {key: SENSORS[key].read(view) for key in state.config.observed}


def remembered(observations: JointObservation) -> JointObservation:
    """What a predictor is shown of a step: read-only copies, without the responses just heard.

    Those are what it is asked for; `RIRPredictor.observe` brings them once it has answered.
    """
    return {
        robot: {key: _read_only(array) for key, array in observation.items() if key != "heard_rir"}
        for robot, observation in observations.items()
    }


def azimuth_and_time(heading: int, share_of_time: float) -> np.ndarray:
    """(2,) float32 in [0, 1]: the heading in whole turns from east, and the time in episodes."""
    return np.array([heading / N_HEADINGS, share_of_time], np.float32)


def position_of(positions: np.ndarray, pose: Pose, start: Pose | None) -> np.ndarray:
    """(3,) float32 metres: x, y, z of the floor; or forward, left, up as seen from a start pose."""
    if start is None:
        return positions[pose[0]].astype(np.float32)
    return _as_seen_from(positions, start, pose[0])


def partner_poses(positions: np.ndarray, pose: Pose, others: Sequence[Pose]) -> np.ndarray:
    """(robots - 1, 4) float32: metres forward, left and up of me, and turns against my heading."""
    rows = [
        (*_as_seen_from(positions, pose, node), (heading - pose[1]) % N_HEADINGS / N_HEADINGS)
        for node, heading in others
    ]
    return np.array(rows, np.float32)


def action_mask(stop_mode: str, stopped: bool, is_last: bool) -> np.ndarray:
    """(4,) int8: 1 for what the robot may do."""
    if stopped:
        return np.array([1, 0, 0, 0], np.int8)
    stop = stop_mode != "mask" or is_last
    return np.array([stop, 1, 1, 1], np.int8)


def mask_of(state: EpisodeState, robot: RobotState) -> np.ndarray:
    """(4,) int8: 1 for what a robot may do in the next step."""
    is_last = state.t >= state.config.steps - 1
    return action_mask(state.config.stop_mode, robot.stopped, is_last)


def _read_position(view: Viewpoint) -> np.ndarray:
    state, start = view.state, None
    if state.config.position_frame == "start":
        start = state.robots[view.robot].trajectory[0]
    return position_of(state.scene.graph.positions, view.pose, start)


def _read_partners(view: Viewpoint) -> np.ndarray:
    robots = view.state.robots.items()
    others = [robot.pose for name, robot in robots if name != view.robot]
    return partner_poses(view.state.scene.graph.positions, view.pose, others)


def _read_heard(view: Viewpoint) -> np.ndarray:
    state = view.state
    return state.measurement.rirs[state.roster.heard[view.robot]].copy()


SENSORS: dict[str, Sensor] = {
    "rgb": Sensor(
        lambda config, n_heard: spaces.Box(0, 255, (*IMAGE, 3), np.uint8),
        lambda view: view.pictures[0],
        of_pose=True,
    ),
    "depth": Sensor(
        lambda config, n_heard: spaces.Box(0, 1, (*IMAGE, 1), np.float32),
        lambda view: view.pictures[1],
        of_pose=True,
    ),
    "azimuth": Sensor(
        lambda config, n_heard: spaces.Box(0, 1, (2,), np.float32),
        lambda view: azimuth_and_time(view.pose[1], view.state.share_of_time),
    ),
    "position": Sensor(
        lambda config, n_heard: spaces.Box(-FARTHEST, FARTHEST, (3,), np.float32),
        _read_position,
    ),
    "action_mask": Sensor(
        lambda config, n_heard: spaces.Box(0, 1, (len(Action),), np.int8),
        lambda view: mask_of(view.state, view.state.robots[view.robot]),
    ),
    "heard_rir": Sensor(
        lambda config, n_heard: spaces.Box(-np.inf, np.inf, (n_heard, 2, RIR_SAMPLES), np.float32),
        _read_heard,
    ),
    "partner_pose": Sensor(
        lambda config, n_heard: spaces.Box(
            -FARTHEST, FARTHEST, (max(config.robots - 1, 1), 4), np.float32
        ),
        _read_partners,
    ),
    "semantic": Sensor(
        lambda config, n_heard: spaces.Box(0, len(CATEGORIES) - 1, IMAGE, np.uint8),
        lambda view: view.state.dwelling.views.labels(*view.pose),
        of_pose=True,
    ),
}


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _as_seen_from(positions: np.ndarray, pose: Pose, node: int) -> np.ndarray:
    x, y, z = positions[node] - positions[pose[0]]
    cos, sin = HEADING_STEPS[pose[1]]
    return np.array([cos * x + sin * y, cos * y - sin * x, z], np.float32)
