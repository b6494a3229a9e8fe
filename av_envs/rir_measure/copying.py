"""Copies of an episode at any moment: what is written down, and how it plays on.

Of what was seen and heard only the poses are written down: a copy opens the same dwelling,
looks and measures there again, and so gets the same bits.
"""

from collections import deque
from typing import Any

import numpy as np

from av_envs.rir_measure.measurement import measured_between
from av_envs.rir_measure.observation import MEMORY, SENSORS, Viewpoint
from av_envs.rir_measure.predictors import JointObservation
from av_envs.rir_measure.state import EpisodeState


def packed(state: EpisodeState) -> dict[str, Any]:
    """The fields of a state, without what `unpacked` makes again."""
    history = [_without_views(step) for step in state.history]
    return {**vars(state), "measurement": state.measurement.nodes, "history": history}


def unpacked(kept: dict[str, Any]) -> EpisodeState:
    """The state that was packed."""
    state = EpisodeState(**kept)
    acoustics, graph, scorer = state.dwelling.acoustics, state.scene.graph, state.scorer
    state.measurement = measured_between(acoustics, graph, kept["measurement"])
    if scorer.queries is not None:
        scorer.queries = measured_between(acoustics, graph, scorer.queries)
    first = state.t + 1 - len(kept["history"])
    steps = [_with_views(state, step, first + i) for i, step in enumerate(kept["history"])]
    state.history = deque(steps, maxlen=MEMORY)
    return state


def _without_views(step: JointObservation) -> dict[str, dict[str, np.ndarray | None]]:
    return {
        robot: {key: None if SENSORS[key].of_pose else array for key, array in seen.items()}
        for robot, seen in step.items()
    }


def _with_views(state: EpisodeState, step: JointObservation, t: int) -> JointObservation:
    """What the robots observed at time `t`; the arrays cannot be written to."""
    for robot, observation in step.items():
        view = Viewpoint(state, robot, state.robots[robot].trajectory[t])
        for key in observation:
            if SENSORS[key].of_pose:
                observation[key] = SENSORS[key].read(view)
            observation[key].flags.writeable = False
    return step
