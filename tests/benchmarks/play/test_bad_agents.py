"""Agents that answer nonsense lose their episodes, are named, and the run goes on."""

import json
from dataclasses import replace

import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks import run
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.results.files import read_result

N_EPISODES = len(FAKE_SUITE.episodes)


def play(directory, agent, **options):
    return read_result(run.run_suite(FAKE_SUITE, AgentSpec.parse(agent), 0, directory, **options))


ESTIMATION_SUITE = replace(FAKE_SUITE, env_id="fake_separation:FakeEst-v0")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("nan", "estimate: 1 of 8 numbers are nan or infinite"),
        ("infinite", "estimate: 2 of 8 numbers are nan or infinite"),
        ("negative", "estimate: numbers from -1 to 1 leave the bounds"),
        ("shape", "estimate: an array (4, 2) float32 is needed, got (2, 4) float32"),
        ("precision", "got (4, 2) float64"),
        ("list", "an array (4, 2) float32 is needed, got [[1.0"),
        ("no estimate", "the keys must be estimate, move, got move"),
        ("only a move", "a dict with estimate, move is needed, got 3"),
        ("move", "move: 4 is not in Discrete(4)"),
    ],
)
def test_a_nonsensical_estimate_fails_the_episode_and_the_run_goes_on(tmp_path, fault, complaint):
    agent = AgentSpec("fake_separation:Estimates", json.dumps({"fault": fault}))
    result = read_result(run.run_suite(ESTIMATION_SUITE, agent, 0, tmp_path))
    assert len(result["episodes"]) == N_EPISODES
    for episode in result["episodes"]:
        assert episode["error"].startswith("fake_separation:Estimates: ")
        assert complaint in episode["error"]
    assert not result["complete"]


def test_a_sound_estimate_passes(tmp_path):
    agent = AgentSpec("fake_separation:Estimates")
    assert read_result(run.run_suite(ESTIMATION_SUITE, agent, 0, tmp_path))["complete"]


def test_an_agent_cannot_end_the_program(tmp_path):
    result = play(tmp_path, "fake_separation:GivesUp", n_episodes=1)
    assert "GivesUp: SystemExit: enough" in result["episodes"][0]["error"]


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ('{"privileged": "action_gains"}', "must be a tuple of keys"),
        ('{"card": {"age": 3}}', "card must be a dict"),
        ('{"card": {"name": NaN}}', "card is not JSON"),
    ],
)
def test_what_an_agent_tells_is_checked(tmp_path, says, complaint):
    agent = AgentSpec("fake_separation:Quiet", f'{{"says": {says}}}')
    with pytest.raises(UserError, match=complaint):
        run.run_suite(FAKE_SUITE, agent, 0, tmp_path)
