"""Promises every registered environment keeps. A new id is tested by existing."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

import av_envs
from av_envs.registration import MEASURING, SEPARATION
from av_envs.rir_measure import MeasureConfig
from av_envs.separation import SeparationConfig

IDS = sorted(av_envs.VARIANTS)
SMALL = {SEPARATION: {"houses": 2}, MEASURING: {"houses": 1, "steps": 10}}
OTHER = {SEPARATION: {"noise_snr_db": 30.0}, MEASURING: {"robots": 3, "receivers": [0, 2]}}
every_env = pytest.mark.parametrize("env_id", IDS)


def small(env_id: str) -> dict:
    """Options with which a variant is quick to test."""
    return SMALL[av_envs.VARIANTS[env_id][0]]


def rollout(env_id: str, seed: int, n_steps: int = 6) -> list:
    env = gym.make(env_id, **small(env_id))
    env.action_space.seed(seed)
    steps = [env.reset(seed=seed)]
    for _ in range(n_steps):
        steps.append(env.step(env.action_space.sample()))
    return steps


@every_env
def test_follows_the_gymnasium_api(env_id):
    check_env(gym.make(env_id, render_mode="rgb_array", **small(env_id)).unwrapped)


@every_env
def test_follows_the_stable_baselines_api(env_id):
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="needs SB3")
    # Its warnings are about images: depth and spectrogram are float arrays on purpose.
    checker.check_env(gym.make(env_id, **small(env_id)), warn=False)


@every_env
def test_same_seed_same_episode(env_id):
    assert data_equivalence(rollout(env_id, seed=0), rollout(env_id, seed=0), exact=True)


@every_env
def test_another_seed_another_episode(env_id):
    assert not data_equivalence(rollout(env_id, seed=0), rollout(env_id, seed=1))


@every_env
def test_workers_see_the_same_episode(env_id):
    """In another process, with the caches of this one."""
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("needs fork")
    makers = [lambda: gym.make(env_id, **small(env_id))] * 2
    envs = gym.vector.AsyncVectorEnv(makers, context="fork")
    observations, _ = envs.reset(seed=[0, 0])
    envs.close()
    alone, _ = gym.make(env_id, **small(env_id)).reset(seed=0)
    for key, value in alone.items():
        np.testing.assert_array_equal(observations[key], np.stack([value, value]))


@every_env
def test_class_docstring_is_a_docs_page(env_id):
    page = gym.make(env_id, **small(env_id)).unwrapped.__doc__
    for heading in (
        "Description",
        "Observation space",
        "Action space",
        "Reward",
        "Arguments",
        "Starting state",
        "Episode end",
        "Info",
    ):
        assert f"## {heading}" in page, f"{env_id} does not document its {heading.lower()}"


@every_env
def test_spec_survives_json(env_id):
    entry_point, variant = av_envs.VARIANTS[env_id]
    options = {**small(env_id), **OTHER[entry_point]}
    spec = gym.make(env_id, **options).spec
    again = gym.envs.registration.EnvSpec.from_json(spec.to_json())
    made_with = {**variant, **options}
    assert again.kwargs == spec.kwargs == made_with
    assert data_equivalence(gym.make(again).reset(seed=3), gym.make(spec).reset(seed=3))


@every_env
def test_rewards_and_infos_are_finite_and_flat(env_id):
    (_, first), *steps = rollout(env_id, seed=1)
    for _, reward, terminated, truncated, info in steps:
        assert type(reward) is float
        assert np.isfinite(reward)
        assert terminated is False
        assert truncated is False
        assert info.keys() == first.keys()
        assert all(type(value) is np.float32 for value in info.values())


@every_env
def test_a_misspelt_option_is_an_error(env_id):
    with pytest.raises(TypeError, match="unknown option 'huoses'"):
        gym.make(env_id, huoses=2)


def test_what_makes_each_variant_a_variant():
    configs = {env_id: gym.make(env_id).unwrapped.config for env_id in av_envs.VARIANTS}
    assert configs["AVDynamicSep-v0"] == SeparationConfig()
    assert configs["AVDynamicSep3-v0"] == SeparationConfig(num_sources=3)
    assert SeparationConfig().start == "between"
    static, far = configs["AVStaticSep-v0"], configs["AVFarSep-v0"]
    assert (static.dynamic, static.reward, static.start) == (False, "improvement", "near")
    assert (far.dynamic, far.reward, far.start, far.steps) == (False, "approach", "far", 80)
    assert configs["AVRIRMeasure-v0"] == MeasureConfig(kind="flat", grid=0.5, steps=250)
    assert configs["AVRIRMeasureHouse-v0"] == MeasureConfig(kind="house", grid=1.0, steps=300)
