"""Policies that come with the project."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import av_envs
import av_envs.agents
from av_envs.agents.adapters.sb3 import SB3Agent
from av_envs.benchmarks.play.action_check import action_fault

FOLDER = Path(av_envs.agents.__file__).parent / "weights"
ENVIRONMENTS = {
    "sep_listens": "AVDynamicSep-v0",
    "sep_told": "AVDynamicSep-v0",
    "rir_covers": "AVRIRMeasure-v0",
}


def test_every_file_is_known_and_small():
    assert {path.stem for path in FOLDER.iterdir()} == set(ENVIRONMENTS)
    assert all(path.stat().st_size < 2_000_000 for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_shipped_policy_acts(name):
    env = gym.make(ENVIRONMENTS[name], houses=1)
    path = str(FOLDER / f"{name}.safetensors")
    agent = SB3Agent(env.observation_space, env.action_space, seed=0, checkpoint=path)
    observation, _ = env.reset(seed=0)
    agent.reset(seed=0)
    truth = {key: env.unwrapped.privileged(key) for key in agent.privileged}
    action = agent.act(observation, truth)
    assert action_fault(env.action_space, action) is None
    assert bool(truth) == (name == "sep_told")


def test_who_is_told_turns_towards_the_target():
    """It walks to what is ahead, and not away from what is behind."""
    env = gym.make("AVDynamicSep-v0", houses=1)
    path = str(FOLDER / "sep_told.safetensors")
    agent = SB3Agent(env.observation_space, env.action_space, seed=0, checkpoint=path)
    observation, _ = env.reset(seed=0)
    far = {"straight_after": np.full(4, 4.0), "distances_after": np.full(4, 4.0)}
    ahead = {**far, "target_bearing": 0.0, "forward_is_free": True}
    assert agent.act(observation, ahead) == 0
    behind = {**far, "target_bearing": np.pi, "forward_is_free": True}
    assert agent.act(observation, behind) in (1, 2)
