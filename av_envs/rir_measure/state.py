"""The state of one episode of the measuring task."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.episode import Episode
from av_envs.rir_measure.measurement import Measurement
from av_envs.rir_measure.predictors import JointObservation
from av_envs.rir_measure.schedule import Roster
from av_envs.rir_measure.scoring import EpisodeScorer
from av_envs.scene import Scene
from av_envs.worlds.base import Dwelling

Pose = tuple[int, int]  # node, heading


@dataclass
class RobotState:
    """One robot.

    trajectory  poses of every step so far, the last is now
    moves       initials of its actions so far
    stopped     it has stopped for good
    collided    the last step forward was blocked
    new_nodes   nodes that it visited first in the last step: 0 or 1
    """

    trajectory: list[Pose]
    moves: str = ""
    stopped: bool = False
    collided: bool = False
    new_nodes: int = 0

    @property
    def pose(self) -> Pose:
        """Where it is now."""
        return self.trajectory[-1]


@dataclass
class EpisodeState:
    """All that an episode consists of but for the predictor and the random numbers.

    The verbs of `av_envs.rir_measure.core` change it in place.

    house        number of the dwelling in its pool, -1 for a named scene
    drawn        what chance decided about it
    robots       by name, in order
    visited      (nodes,) bool
    scorer       of predictions
    history      the last joint observations, the newest last, as predictors are shown them
    t            steps so far
    is_over      no further step is possible
    measurement  of the present poses
    predicted    (P, 2, 16000) what was scored last; None if nothing was
    submitted    (P, 2, 16000) handed in for the next step
    hull         m and m2, perimeter and area of the hull of `hull_nodes`
    quantities   of all terms of the reward, see `av_envs.rir_measure.rewards`
    """

    roster: Roster
    house: int
    dwelling: Dwelling
    drawn: Episode
    robots: dict[str, RobotState]
    visited: np.ndarray
    scorer: EpisodeScorer
    history: deque[JointObservation]
    t: int = 0
    is_over: bool = False
    measurement: Measurement | Any = None
    predicted: np.ndarray | None = None
    submitted: np.ndarray | None = None
    hull: tuple[float, float] = (0.0, 0.0)
    quantities: dict[str, float] = field(default_factory=dict)

    @property
    def config(self) -> MeasureConfig:
        return self.roster.config

    @property
    def scene(self) -> Scene:
        """The dwelling's geometry."""
        return self.dwelling.scene

    @property
    def trajectories(self) -> dict[str, list[Pose]]:
        """Poses of every robot so far."""
        return {name: robot.trajectory for name, robot in self.robots.items()}

    @property
    def poses(self) -> list[Pose]:
        """Of all robots now, in order."""
        return [robot.pose for robot in self.robots.values()]

    @property
    def share_of_time(self) -> float:
        """The part of the episode that has passed, 0 to 1."""
        return self.t / self.config.steps
