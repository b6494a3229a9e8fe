"""On a device episodes are those of the CPU: the same to the bit where nothing is heard."""

import os

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import av_envs  # noqa: F401  (registers the suite)
from av_envs.separation.rewards import REWARDS

pytestmark = pytest.mark.usefixtures("one_torch_thread")
SEED = 3
DECIBELS = 0.02  # how far scores and rewards may differ; the most that was seen is 0.006
HEARD = ("mixture", "waveform")
SPECTRUM = 1e-3  # norm of the difference over the norm; seen 1e-5
EXACT = ("geodesic_to_target", "collision", "node", "heading", "house")
DEVICE = os.environ.get("AV_ENVS_TEST_DEVICE", "cpu")  # where all of this is tried


def pair(num_envs, mode="NextStep", env_id="AVDynamicSep-v0", device=DEVICE, **options):
    """The batch of the CPU, and that in torch with its tensors brought to the host."""
    options = {"houses": 2, "autoreset_mode": mode, **options}
    own = {key: options.pop(key) for key in ("chunk", "memory_gb") if key in options}
    ours = gym.make_vec(env_id, num_envs, device=device, numpy=True, **own, **options)
    return ours, gym.make_vec(env_id, num_envs, **options)


def assert_observed(ours, theirs):
    assert set(ours) == set(theirs)
    for key, expected in theirs.items():
        assert ours[key].dtype == expected.dtype
        if key in HEARD:
            error = np.linalg.norm(ours[key] - expected)
            assert error <= SPECTRUM * np.linalg.norm(expected)
        else:
            np.testing.assert_array_equal(ours[key], expected, key)


def assert_told(ours, theirs):
    assert set(ours) == set(theirs)
    for key, expected in theirs.items():
        if key in ("final_obs", "final_info"):
            continue
        assert ours[key].dtype == expected.dtype
        tolerance = 0 if key in EXACT or key.startswith("_") else DECIBELS
        np.testing.assert_allclose(ours[key], expected, atol=tolerance, rtol=0, err_msg=key)
    for i in np.flatnonzero(theirs.get("_final_obs", [])):
        final = {key: values[i] for key, values in ours["final_obs"].items()}
        assert_observed(final, {k: np.asarray(v) for k, v in theirs["final_obs"][i].items()})
    if "final_info" in theirs:
        assert_told(ours["final_info"], theirs["final_info"])


def assert_same(ours, theirs, n_steps):
    """Both do the same with the same actions; where a mode needs it, they are reset."""
    for mine, expected in zip(ours.reset(seed=SEED), theirs.reset(seed=SEED), strict=True):
        (assert_told if "si_sdr" in expected else assert_observed)(mine, expected)
    ours.action_space.seed(0)
    for _ in range(n_steps):
        actions = ours.action_space.sample()
        mine, expected = ours.step(actions), theirs.step(actions)
        assert_observed(mine[0], expected[0])
        np.testing.assert_allclose(mine[1], expected[1], atol=DECIBELS, rtol=0)
        np.testing.assert_array_equal(mine[2], expected[2])
        np.testing.assert_array_equal(mine[3], expected[3])
        assert_told(mine[4], expected[4])
        if ours.autoreset_mode is AutoresetMode.DISABLED and expected[3].any():
            options = {"reset_mask": expected[3].copy()}
            (seen, told), (saw, knew) = ours.reset(options=options), theirs.reset(options=options)
            assert_observed(seen, saw)
            assert_told(told, knew)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_episodes_are_those_of_the_cpu_in_every_mode(mode):
    assert_same(*pair(2, mode, steps=3), n_steps=5)


@pytest.mark.parametrize("reward", REWARDS)
def test_every_reward_is_that_of_the_cpu(reward):
    assert_same(*pair(2, reward=reward, num_sources=3, steps=2, chunk=1), n_steps=4)


@pytest.mark.parametrize(
    "options",
    [
        {"dynamic": False, "num_sources": 1, "start": "near", "observations": ["waveform"]},
        {"convolution": "legacy_same", "observations": ["mixture", "depth"]},
        {"start": "target", "observations": ["target", "rgb"], "max_episode_steps": 2},
        {"start": "near", "observations": ["pose"]},
        {"start": "far", "houses": 3, "observations": ["pose"]},
        {"chunk": 2, "observations": ["pose"]},
        {"extra_scores": ["si_sdr_ideal", "si_sdr_mixture_phase"], "observations": ["pose"]},
        {"extra_scores": ["si_sdr_ideal"], "reward": "neg_nmse", "observations": ["pose"]},
        {"starts_facing": "open", "observations": ["rgb", "depth"]},
        {"sounds": "embedded-2", "observations": ["mixture"]},
    ],
    ids=lambda options: " ".join(f"{key}={value}" for key, value in options.items()),
)
def test_every_option_means_the_same(options):
    assert_same(*pair(3, **{"steps": 3, **options}), n_steps=5)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVDynamicSep3-v0", "AVStaticSep-v0"])
def test_long_walks_in_many_houses_are_the_same(env_id):
    assert_same(*pair(7, env_id=env_id, houses=6), n_steps=60)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_gpu_plays_the_same_episodes(mode):
    assert_same(*pair(5, mode, device="cuda", steps=3, chunk=2, num_sources=3), n_steps=8)
