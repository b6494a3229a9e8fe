"""Logs of episodes made by hand, and those of the environments."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.benchmarks.play.trajectories import replay_actions
from av_envs.replay import replay_log

LINE = np.array([[0.5, 0.5, 0], [1.5, 0.5, 0], [2.5, 0.5, 0]], np.float32)


def scene(positions=LINE):
    return SimpleNamespace(name="line", graph=SimpleNamespace(positions=positions, grid=1.0))


def test_a_log_tells_steps_that_led_nowhere_from_staying():
    path = [(1, 0), (2, 0), (2, 0), (2, 0), (2, 1), (2, 0)]
    log = replay_log("t", scene(), [(path, "FFSLR")], sources=[0], receivers=[(1, 3)], target="x")
    assert log == {
        "task": "t",
        "stride": 1.0,
        "walkers": [{"start": [1.5, 0.5, 0], "moves": "FfSLR"}],
        "sources": [[0.5, 0.5]],
        "receivers": [[1.5, 0.5, 3]],
        "target": "x",
    }


def test_a_graph_that_is_no_grid_is_not_logged_wrongly():
    with pytest.raises(ValueError, match=r"line: a step forward is not always 1.0 m long"):
        replay_log("t", scene(1.1 * LINE), [([(0, 0), (1, 0)], "F")], sources=[])
    assert replay_log("t", scene(1.1 * LINE), [([(0, 0)], "")], sources=[])["stride"] == 1.0


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("AVDynamicSep-v0", {"observations": ("pose",)}),
        ("AVDynamicSep-v0", {"observations": ("pose",), "estimator": "agent"}),
        ("AVRIRMeasure-v0", {"observations": ("position",), "prediction": "none", "queries": 0}),
    ],
)
def test_the_actions_of_a_log_lead_the_same_way(env_id, options):
    env = gym.make(env_id, houses=1, disable_env_checker=True, **options).unwrapped
    rng, logs = np.random.default_rng(0), []
    env.reset(seed=3)
    actions = replay_actions({**env.replay_log(), "walkers": _random_moves(env, rng)}, env)
    for _ in range(2):
        env.reset(seed=3)
        for action in actions:
            env.step(action)
        logs.append(env.replay_log())
        actions = replay_actions(logs[-1], env)
    assert logs[0] == logs[1]
    assert logs[0]["task"] == env.task
    assert {len(walker["moves"]) for walker in logs[0]["walkers"]} == {12}


def _random_moves(env, rng):
    walkers = env.replay_log()["walkers"]
    return [{**walker, "moves": "".join(rng.choice([*"FFLR"], 12))} for walker in walkers]
