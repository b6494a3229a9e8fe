"""Invalid actions and agents are named; an episode is lost, not the run."""

from dataclasses import replace

import numpy as np
import pytest
from fake_separation import FAKE_SUITE, FakeEstimation

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.action_check import action_fault
from av_envs.benchmarks.play.agents import AgentSpec, build_agent
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite

ESTIMATION_SUITE = replace(FAKE_SUITE, env_id="fake_separation:FakeEst-v0")
ESTIMATE = np.ones((4, 2), np.float32)


def with_number(number, place):
    estimate = ESTIMATE.copy()
    estimate[place] = number
    return {"move": 3, "estimate": estimate}


@pytest.mark.parametrize(
    ("action", "fault"),
    [
        ({"move": 3, "estimate": ESTIMATE}, None),
        (with_number(np.nan, (1, 1)), "estimate: 1 of 8 numbers are nan or infinite"),
        (with_number(np.inf, 0), "estimate: 2 of 8 numbers are nan or infinite"),
        (with_number(-1, 2), "estimate: numbers from -1 to 1 leave the bounds"),
        (
            {"move": 3, "estimate": ESTIMATE.T},
            "estimate: an array (4, 2) float32 is needed, got (2, 4) float32",
        ),
        ({"move": 3, "estimate": ESTIMATE.astype(np.float64)}, "got (4, 2) float64"),
        (
            {"move": 3, "estimate": ESTIMATE.tolist()},
            "an array (4, 2) float32 is needed, got [[1.0",
        ),
        ({"move": 3}, "the keys must be estimate, move, got move"),
        (3, "a dict with estimate, move is needed, got 3"),
        ({"move": 4, "estimate": ESTIMATE}, "move: 4 is not in Discrete(4)"),
    ],
)
def test_what_is_wrong_with_an_action_is_said(action, fault):
    found = action_fault(FakeEstimation().action_space, action)
    assert found is None if fault is None else fault in found


@pytest.mark.parametrize("isolated", [False, True])
def test_an_invalid_estimate_fails_the_episode_and_the_run_goes_on(tmp_path, isolated):
    agent = AgentSpec("fake_separation:Estimates", '{"fault": "nan"}')
    job = Job(ESTIMATION_SUITE, agent, n_episodes=3, isolated=isolated)
    result = read_result(run_suite(job, tmp_path))
    assert [episode["error"] for episode in result["episodes"]] == [
        "fake_separation:Estimates: estimate: 1 of 8 numbers are nan or infinite"
    ] * 3
    assert not result["complete"]


def test_a_valid_estimate_passes(tmp_path):
    job = Job(ESTIMATION_SUITE, AgentSpec("fake_separation:Estimates"), isolated=False)
    assert read_result(run_suite(job, tmp_path))["complete"]


def test_an_agent_cannot_end_the_program(tmp_path):
    job = Job(FAKE_SUITE, AgentSpec("fake_separation:GivesUp"), n_episodes=1, isolated=False)
    (episode,) = read_result(run_suite(job, tmp_path))["episodes"]
    assert "GivesUp: SystemExit: enough" in episode["error"]


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ('{"privileged": "action_gains"}', "must be a tuple of keys"),
        ('{"card": {"age": 3}}', "card must be a dict"),
        ('{"card": {"name": NaN}}', "card is not JSON"),
    ],
)
def test_what_an_agent_tells_is_checked(says, complaint):
    agent, env = AgentSpec("fake_separation:Quiet", f'{{"says": {says}}}'), FakeEstimation()
    with pytest.raises(UserError, match=complaint):
        build_agent(agent, env.observation_space, env.action_space, 0)
