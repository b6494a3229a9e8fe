"""Whoever plays many at once is told what is wrong with a call, before anybody moves."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  registers the environments
from av_envs.rir_measure.vector.teams import ParallelVectorEnv

COUNT = 3
BATCHES = "separation", "device", "measuring", "teams"
SOUND = {"houses": 1, "observations": ("pose",)}
QUIET = {"houses": 1, "predictor": "zero", "observations": ("azimuth", "position")}


def batch(kind: str, **options) -> Any:
    if kind == "teams":
        return ParallelVectorEnv(COUNT, **QUIET, **options)
    if kind == "measuring":
        return gym.make_vec("AVRIRMeasure-v0", num_envs=COUNT, **QUIET, **options)
    if kind == "device":
        pytest.importorskip("torch")
        options = {**options, "device": "cpu", "numpy": True}
    return gym.make_vec("AVDynamicSep-v0", num_envs=COUNT, **SOUND, **options)


def moves(kind: str, values: list) -> Any:
    """The same moves in the form that a batch takes them, two robots doing the same."""
    if kind == "teams":
        return {"robot_0": np.array(values), "robot_1": np.array(values)}
    return np.stack([values, values], axis=1) if kind == "measuring" else np.array(values)


def where(kind: str, played: tuple) -> np.ndarray:
    """Where the environments are, from what `reset` or `step` returned."""
    observation = played[0]
    if kind == "teams":
        return observation["robot_0"]["position"]
    return observation["position" if kind == "measuring" else "pose"]


WRONG_MOVES = [
    ([1, 1], r"\(3,.*got.*\(2,"),
    ([1, 1, 1, 1], r"\(3,.*got.*\(4,"),
    ([1, 1, 4], "4"),
    ([-1, 1, 1], "-1"),
    ([1.0, 1.0, 1.0], r"float64|1\.0"),
    ([1, 1, math.nan], "nan|float64"),
    ([True, False, True], "bool|True|False"),
    (["1", "1", "1"], "<U1|'1'"),
]
WRONG_SEEDS = [
    ([1, 2], "3 environments need as many seeds, got 2"),
    ([1, 2, 3, 4], "3 environments need as many seeds, got 4"),
    ([1, 2, 2.5], r"a seed is a whole number from 0 on, or None, got 2\.5"),
    ([1, -2, 3], "got -2"),
    (1.5, r"seed must be a whole number from 0 on, or one of each, got 1\.5"),
    (-1, "got -1"),
    ("123", "got '123'"),
    (True, "got True"),
]
WRONG_MASKS = [
    (np.ones(2, bool), ValueError, r"shape \(3,\), got \(2,\)"),
    (np.ones((3, 1), bool), ValueError, r"shape \(3,\), got \(3, 1\)"),
    (np.zeros(3, bool), ValueError, "at least one"),
    (np.ones(3), TypeError, "numpy array of bool"),
    ([True, True, True], TypeError, "numpy array of bool"),
]


@pytest.mark.parametrize("kind", BATCHES)
def test_wrong_calls_are_named_and_move_nobody(kind):
    envs, others = batch(kind), batch(kind)
    for seed, named in WRONG_SEEDS:
        with pytest.raises(ValueError, match=named):
            envs.reset(seed=seed)
    envs.reset(seed=4), others.reset(seed=4)
    for mask, error, named in WRONG_MASKS:
        with pytest.raises(error, match=named):
            envs.reset(options={"reset_mask": mask})
    for values, named in WRONG_MOVES:
        with pytest.raises(ValueError, match=named):
            envs.step(moves(kind, values))
    right = moves(kind, [1, 1, 1])
    assert np.array_equal(where(kind, envs.step(right)), where(kind, others.step(right)))


def test_wrong_estimates_are_named_and_move_nobody():
    envs, others = (batch("separation", estimator="agent") for _ in range(2))
    envs.reset(seed=4), others.reset(seed=4)
    right = {"move": np.zeros(3, int), "estimate": np.ones((3, 512, 32), np.float32)}
    wrong = right["estimate"].copy()
    wrong[2, 5, 7] = np.nan
    for actions, named in (
        (right["move"], "dict of estimate, move"),
        ({"move": right["move"]}, "dict of estimate, move"),
        ({**right, "move": np.zeros(2, int)}, r"'move' must have shape \(3,\), got \(2,\)"),
        ({**right, "estimate": right["estimate"][:2]}, r"shape \(3, 512, 32\), got \(2, 512, 32\)"),
        ({**right, "estimate": wrong}, "the estimate is nan at frequency 5, frame 7"),
    ):
        with pytest.raises(ValueError, match=named):
            envs.step(actions)
    assert np.array_equal(envs.step(right)[1], others.step(right)[1])


@pytest.mark.parametrize("kind", ["measuring", "teams"])
def test_wrong_predictions_are_named_and_move_nobody(kind):
    envs, others = (batch(kind, prediction="action") for _ in range(2))
    envs.reset(seed=4), others.reset(seed=4)

    def actions(rir: np.ndarray) -> dict:
        if kind == "measuring":
            return {"move": np.ones((3, 2), int), "rir": rir}
        return {robot: {"move": np.ones(3, int), "rir": rir[:, :1]} for robot in envs.agents}

    rir = np.zeros((3, 2, 2, 16_000), np.float32)
    wrong = rir.copy()
    wrong[2, 0, 1, 5] = np.inf
    for given, named in ((rir[:2], r"shape \(3, .*got \(2, "), (wrong, "nan or infinite")):
        with pytest.raises(ValueError, match=named):
            envs.step(actions(given))
    played = envs.step(actions(rir)), others.step(actions(rir))
    assert np.array_equal(*(where(kind, one) for one in played))
