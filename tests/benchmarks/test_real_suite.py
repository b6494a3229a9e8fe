"""The baselines on the real environment, a few episodes of the demo suite."""

import gymnasium as gym
import numpy as np
import pytest

from av_envs.baselines.separation import Oracle
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, make_env
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites.suite import SUITES

SUITE = SUITES["sep-demo-v2"]
N_EPISODES = 4


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return {
        name: read_result(
            run_suite(
                Job(SUITE, AgentSpec(f"av_envs.baselines.separation:{name}"), n_episodes=4), folder
            )
        )
        for name in ("Random", "StandInPlace", "Oracle")
    }


def test_every_baseline_finishes_its_episodes(results):
    for result in results.values():
        assert [e["error"] for e in result["episodes"]] == [None] * N_EPISODES
        assert len({e["scene"] for e in result["episodes"]}) == N_EPISODES  # houses in turn
        assert {e["length"] for e in result["episodes"]} == {20}


def test_standing_gains_nothing_and_knowing_gains_something(results):
    still, oracle = results["StandInPlace"], results["Oracle"]
    assert {e["metrics"]["si_sdr_gain"] for e in still["episodes"]} == {0.0}
    assert oracle["summary"]["si_sdr_gain"] > 0.3
    for kept, known in zip(still["episodes"], oracle["episodes"], strict=True):
        assert kept["scene"] == known["scene"]  # the same houses for everybody


@pytest.mark.slow
def test_the_record_is_the_same_from_two_processes(results, tmp_path):
    agent = AgentSpec("av_envs.baselines.separation:Random")
    path = run_suite(Job(SUITE, agent, n_episodes=N_EPISODES), tmp_path, workers=2)
    assert read_result(path)["result_hash"] == results["Random"]["result_hash"]


def test_the_oracle_gets_what_it_was_promised():
    env = make_env(SUITE, SUITE.groups[0])
    assert isinstance(env.action_space, gym.spaces.Discrete)
    agent = Oracle(env.observation_space, env.action_space, seed=0)
    observation, _ = env.reset(seed=5, options={"house": 1})
    for _ in range(6):
        gains = env.unwrapped.privileged("action_gains")
        action = agent.act(observation, {"action_gains": gains})
        observation, reward, _, _, info = env.step(action)
        if np.isfinite(info["si_sdr_gain"]):
            assert info["si_sdr_gain"] == pytest.approx(gains[action], abs=1e-3)
            assert reward == pytest.approx(gains[action], abs=1e-3)
    env.close()
