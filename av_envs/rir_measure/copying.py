"""Copies of a team at any moment of an episode: what is written down, and how it plays on.

Of what was seen and heard only the poses are written down: a copy opens the same dwelling,
looks and measures there again, and so gets the same bits.
"""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from av_envs.rir_measure.measurement import measure
from av_envs.rir_measure.observation import MEMORY
from av_envs.rir_measure.predictors import JointObservation
from av_envs.space_generators import generator_states, go_on

if TYPE_CHECKING:
    from gymnasium import Space

    from av_envs.rir_measure.env import MeasureEnv

SPACES = "observation_spaces", "action_spaces", "state_space"
PICTURES = "rgb", "depth", "semantic"


def state_to_keep(env: "MeasureEnv") -> dict[str, Any]:
    """Attributes of the environment, without what `play_on` makes again."""
    kept = {name: value for name, value in vars(env).items() if name not in SPACES}
    kept["of_spaces"] = generator_states(*_spaces(env))
    if env.t is not None:
        kept["measurement"] = env.measurement.nodes
        kept["_history"] = [_without_pictures(step) for step in kept["_history"]]
    return kept


def play_on(env: "MeasureEnv", kept: dict[str, Any]) -> None:
    """Make an empty environment the one that was kept."""
    of_spaces, history = kept.pop("of_spaces"), kept.pop("_history", None)
    vars(env).update(kept)
    env.make_spaces()
    go_on(of_spaces, *_spaces(env))
    if env.t is None:
        return
    acoustics, graph, judge = env.dwelling.acoustics, env.scene.graph, env._judge
    env.measurement = measure(acoustics, graph, env.measurement)
    if judge.queries is not None:
        judge.queries = measure(acoustics, graph, judge.queries)
    first = env.t + 1 - len(history)
    steps = [_with_pictures(env, step, first + i) for i, step in enumerate(history)]
    env._history = deque(steps, maxlen=MEMORY)


def _spaces(env: "MeasureEnv") -> Iterator["Space"]:
    yield from env.observation_spaces.values()
    yield from env.action_spaces.values()
    yield env.state_space


def _without_pictures(step: JointObservation) -> dict[str, dict[str, np.ndarray | None]]:
    return {
        robot: {key: None if key in PICTURES else array for key, array in observation.items()}
        for robot, observation in step.items()
    }


def _with_pictures(env: "MeasureEnv", step: JointObservation, t: int) -> JointObservation:
    """What the robots observed at time `t`; the arrays cannot be written to."""
    for robot, observation in step.items():
        node, heading = env.trajectories[robot][t]
        views = env.dwelling.views
        if observation.keys() & {"rgb", "depth"}:
            seen = dict(zip(PICTURES, views.view(node, heading), strict=False))
            observation.update((key, seen[key]) for key in observation.keys() & seen.keys())
        if "semantic" in observation:
            observation["semantic"] = views.labels(node, heading)
        for array in observation.values():
            array.flags.writeable = False
    return step
