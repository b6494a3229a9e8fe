"""What one robot knows of the world."""

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import N_HEADINGS
from av_envs.rir_measure.actions import Action
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.predictors import JointObservation
from av_envs.scene import CATEGORIES
from av_envs.vision import IMAGE_SIZE
from av_envs.worlds.base import Dwelling

FARTHEST = 1000.0  # m, bound of all positions
MEMORY = 16  # joint observations that a predictor is shown
_COS, _SIN = np.array([1, 0, -1, 0]), np.array([0, 1, 0, -1])  # by heading

Pose = tuple[int, int]  # node, heading


def observation_space(config: MeasureConfig, n_heard: int) -> spaces.Dict:
    """n_heard  responses that this robot receives at every step."""
    image, others = (IMAGE_SIZE, IMAGE_SIZE), (max(config.robots - 1, 1), 4)
    known = {
        "rgb": spaces.Box(0, 255, (*image, 3), np.uint8),
        "depth": spaces.Box(0, 1, (*image, 1), np.float32),
        "azimuth": spaces.Box(0, 1, (2,), np.float32),
        "position": spaces.Box(-FARTHEST, FARTHEST, (3,), np.float32),
        "action_mask": spaces.Box(0, 1, (len(Action),), np.int8),
        "heard_rir": spaces.Box(-np.inf, np.inf, (n_heard, 2, RIR_SAMPLES), np.float32),
        "partner_pose": spaces.Box(-FARTHEST, FARTHEST, others, np.float32),
        "semantic": spaces.Box(0, len(CATEGORIES) - 1, image, np.uint8),
    }
    return spaces.Dict({key: known[key] for key in config.observed})


def observation(
    config: MeasureConfig,
    dwelling: Dwelling,
    walks: Sequence[Sequence[Pose]],
    robot: int,
    heard: np.ndarray,
    mask: np.ndarray,
    share_of_time: float,
) -> dict[str, np.ndarray]:
    """What one robot is told.

    walks  of all robots, the last pose of each is now
    robot  index of the one that observes
    heard  (K, 2, 16000) responses that it just received
    mask   (4,) of its actions
    """
    wanted, known = config.observed, {"action_mask": mask}
    positions, (node, heading) = dwelling.scene.graph.positions, walks[robot][-1]
    if "rgb" in wanted or "depth" in wanted:
        known["rgb"], known["depth"] = dwelling.views.view(node, heading)
    if "semantic" in wanted:
        known["semantic"] = dwelling.views.labels(node, heading)
    if "heard_rir" in wanted:
        known["heard_rir"] = heard.copy()
    if "partner_pose" in wanted:
        others = [path[-1] for k, path in enumerate(walks) if k != robot]
        known["partner_pose"] = partner_poses(positions, (node, heading), others)
    start = walks[robot][0] if config.position_frame == "start" else None
    known["azimuth"] = azimuth_and_time(heading, share_of_time)
    known["position"] = position_of(positions, (node, heading), start)
    return {key: known[key] for key in wanted}


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


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _as_seen_from(positions: np.ndarray, pose: Pose, node: int) -> np.ndarray:
    x, y, z = positions[node] - positions[pose[0]]
    cos, sin = _COS[pose[1]], _SIN[pose[1]]
    return np.array([cos * x + sin * y, cos * y - sin * x, z], np.float32)
