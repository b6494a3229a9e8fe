"""Learners that other people wrote run on it as it is."""

import gymnasium as gym
import numpy as np
import pytest
from small_teams import SMALL, team

import av_envs  # noqa: F401  (registers the suite)

KEYS = ("azimuth", "position", "action_mask")


def joint(**options) -> gym.Env:
    return gym.make("AVRIRMeasure-v0", **{**SMALL, "observations": KEYS, **options})


@pytest.mark.slow
def test_a_policy_of_stable_baselines_learns():
    sb3 = pytest.importorskip("stable_baselines3", reason="needs SB3")
    model = sb3.PPO("MultiInputPolicy", joint(), n_steps=8, batch_size=8, n_epochs=1, seed=0)
    before = [weights.clone() for weights in model.policy.parameters()]
    model.learn(16)
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    observation, _ = model.env.envs[0].reset(seed=0)
    moves, _ = model.predict(observation)
    assert model.action_space.contains(moves)


@pytest.mark.slow
def test_a_masked_policy_never_stops_before_the_last_step():
    contrib = pytest.importorskip("sb3_contrib", reason="needs sb3-contrib")
    model = contrib.MaskablePPO("MultiInputPolicy", joint(), n_steps=8, batch_size=8, n_epochs=1)
    model.learn(16)
    env = joint()
    observation, _ = env.reset(seed=0)
    for _ in range(SMALL["steps"] - 1):
        masks = env.unwrapped.action_masks()
        moves, _ = model.predict(observation, action_masks=masks)
        assert (moves != 0).all()
        observation, *_ = env.step(moves)


def test_the_masks_of_the_joint_view_follow_each_other():
    """Robot after robot, as a MultiDiscrete action is read."""
    env = joint(stop_mode="latch", robots=3)
    env.reset(seed=0)
    observation, *_ = env.step([2, 0, 2])
    masks = env.unwrapped.action_masks()
    assert masks.dtype == bool
    assert masks.reshape(3, 4).tolist() == [[True] * 4, [True, False, False, False], [True] * 4]
    np.testing.assert_array_equal(masks, observation["action_mask"].ravel())


def test_supersuit_makes_a_vector_of_robots():
    supersuit = pytest.importorskip("supersuit", reason="needs SuperSuit")
    env = team(observations=("position",))
    envs = supersuit.concat_vec_envs_v1(supersuit.pettingzoo_env_to_vec_env_v1(env), 2)
    observations, _ = envs.reset(seed=0)
    assert observations["position"].shape == (4, 3)


def test_flattened_observations_are_one_vector():
    env = gym.wrappers.FlattenObservation(joint())
    observation, _ = env.reset(seed=0)
    assert observation.shape == (2 * (2 + 3 + 4),)
    assert env.observation_space.contains(observation)
