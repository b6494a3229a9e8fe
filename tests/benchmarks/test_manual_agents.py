"""The sample agents of the manual are good examples: better than moving at random."""

import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from av_envs.baselines import rir_measure, separation
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.suites.suite import SUITES

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "agents.md"
SUITE = SUITES["sep-near-heard-v2"]
MARGIN = 0.2  # dB; 0.41 was measured
COVERED = 0.25  # of the nodes; 0.45 was measured
BY_POSITION = ("azimuth", "position")


def of_manual(file: str, name: str) -> type:
    """A class from the block of the manual that is called so."""
    code = re.search(rf"```python\n(# {file}.*?)```", MANUAL.read_text(), re.DOTALL).group(1)
    names: dict = {}
    exec(compile(code, str(MANUAL), "exec"), names)
    return names[name]


def gains(agent_type) -> list[float]:
    """Of every fifth episode: the mean of the score over its steps."""
    env = make_env(SUITE, SUITE.groups[0])
    agent = agent_type(env.observation_space, env.action_space, seed=0)
    scores = []
    for _, seed, options in SUITE.episodes[::5]:
        observation, _ = env.reset(seed=seed, options=options)
        agent.reset(seed=seed)
        values, done = [], False
        while not done:
            observation, _, terminated, truncated, info = env.step(agent.act(observation))
            values.append(info[SUITE.primary])
            done = terminated or truncated
        scores.append(np.nanmean(values))
    env.close()
    return scores


def coverages(team_type) -> list[float]:
    """The share of nodes that were visited in each of three flats."""
    options = {"split": "val", "houses": 3, "steps": 100, "prediction": "none"}
    env = gym.make("AVRIRMeasure-v0", observations=BY_POSITION, **options)
    team = team_type(env.observation_space, env.action_space, seed=0)
    ends = []
    for house in range(3):
        observation, _ = env.reset(seed=house, options={"house": house})
        team.reset(seed=house)
        truncated = False
        while not truncated:
            observation, _, _, truncated, info = env.step(team.act(observation))
        ends.append(info["cr"])
    env.close()
    return ends


@pytest.mark.slow
def test_the_louder_ear_beats_moving_at_random():
    sample = gains(of_manual("my_agents.py", "TowardTheLouderEar"))
    assert np.mean(sample) > np.mean(gains(separation.Random)) + MARGIN


@pytest.mark.slow
def test_the_team_beats_moving_at_random():
    sample = coverages(of_manual("my_teams.py", "LeastVisited"))
    assert np.mean(sample) > np.mean(coverages(rir_measure.Random)) + COVERED
