"""Stable-Baselines3 and sb3-contrib train on both tasks; a few steps, a few weights."""

import numpy as np
import pytest
from sb3_contrib import MaskablePPO, RecurrentPPO
from small_worlds import (
    BRIEF,
    TINY,
    batch,
    every_task,
    single,
)
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecMonitor

from av_envs.agents.adapters.sb3 import AVFeaturesExtractor, NativeVecEnv

FEATURES = {"features_extractor_class": AVFeaturesExtractor, "features_extractor_kwargs": TINY}


def weights_of(model) -> list[np.ndarray]:
    return [weights.detach().numpy().copy() for weights in model.policy.parameters()]


def learns(model, n_steps: int) -> None:
    """All weights change, and stay finite."""
    before = weights_of(model)
    model.learn(n_steps)
    after = weights_of(model)
    assert all(np.isfinite(weights).all() for weights in after)
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert np.mean(moved) > 0.8  # a few are dead at this size


@every_task
def test_ppo(env_id):
    env = single(env_id)
    learns(PPO("MultiInputPolicy", env, policy_kwargs=FEATURES, **BRIEF), 12)


@every_task
@pytest.mark.parametrize("kind", ["sync", "native"])
def test_ppo_on_a_batch(env_id, kind):
    venv = VecMonitor(NativeVecEnv(batch(env_id, kind, "SameStep")))
    model = PPO("MultiInputPolicy", venv, policy_kwargs=FEATURES, **BRIEF)
    learns(model, 24)
    assert [episode["l"] for episode in model.ep_info_buffer] == [5, 5, 5, 5]


@every_task
def test_recurrent_ppo(env_id):
    options = {**FEATURES, "lstm_hidden_size": 8}
    env = NativeVecEnv(batch(env_id, "sync", "SameStep"))
    learns(RecurrentPPO("MultiInputLstmPolicy", env, policy_kwargs=options, **BRIEF), 12)


@pytest.mark.parametrize("kind", ["single", "sync", "native"])
def test_maskable_ppo_stops_nobody_early(kind):
    if kind == "single":
        env = single("AVRIRMeasure-v0")
    else:
        env = NativeVecEnv(batch("AVRIRMeasure-v0", kind, "SameStep"))
    model = MaskablePPO("MultiInputPolicy", env, policy_kwargs=FEATURES, **BRIEF)
    learns(model, 12)
    steps = model.rollout_buffer.observations["azimuth"][..., 0, 1].reshape(-1)  # of the episode
    actions = model.rollout_buffer.actions.reshape(len(steps), -1)
    assert (actions[steps < 0.75] != 0).all()
