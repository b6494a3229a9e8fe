"""The sample agents of the manual are good examples: better than moving at random."""

import re
from pathlib import Path

import numpy as np
import pytest

from av_envs.baselines.separation import Random
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.suites.suite import SUITES

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "agents.md"
SUITE = SUITES["sep-near-heard-v2"]
MARGIN = 0.2  # dB; 0.41 was measured


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


@pytest.mark.slow
def test_the_louder_ear_beats_moving_at_random():
    code = re.search(r"```python\n(# my_agents.py.*?)```", MANUAL.read_text(), re.DOTALL).group(1)
    names: dict = {}
    exec(compile(code, str(MANUAL), "exec"), names)
    sample, blind = gains(names["TowardTheLouderEar"]), gains(Random)
    assert np.mean(sample) > np.mean(blind) + MARGIN
