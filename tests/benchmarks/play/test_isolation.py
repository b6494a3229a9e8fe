"""An agent plays where no environment is: what cheats in one process learns nothing in its own."""

import pickle
from contextlib import closing

import numpy as np
import pytest
from fake_rir_measure import TEAM_SUITE
from fake_separation import FAKE_SUITE

from av_envs.benchmarks import run
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, agent_seed
from av_envs.benchmarks.play.shared_arrays import CAPACITY, ArrayReader, ArrayWriter
from av_envs.benchmarks.play.wire import pack, unpack
from av_envs.benchmarks.results.files import read_result


def play(directory, name, **options):
    agent = AgentSpec(name if ":" in name else f"fake_separation:{name}")
    return read_result(run.run_suite(Job(FAKE_SUITE, agent, **options), directory))


@pytest.mark.slow
def test_the_environment_is_within_reach_in_one_process_only(tmp_path):
    """The control shows that this agent would find it."""
    together = play(tmp_path, "Spies", n_episodes=3, isolated=False)
    apart = play(tmp_path, "Spies", n_episodes=3)
    assert together["summary"]["si_sdr_final"] > apart["summary"]["si_sdr_final"] + 20
    honest = play(tmp_path, "Quiet", n_episodes=3)
    assert apart["summary"] == honest["summary"]
    assert (together["isolated"], apart["isolated"]) == (False, True)


def test_the_scorer_is_out_of_reach(tmp_path):
    result = play(tmp_path, "Patches", n_episodes=2)
    assert result["summary"] == play(tmp_path, "Quiet", n_episodes=2)["summary"]


def test_what_was_declared_when_it_was_described_holds(tmp_path):
    """The property is asked when the agent is built, and what it says then is what it is shown."""
    result = play(tmp_path, "Fickle", n_episodes=3)
    assert result["agent"]["privileged"] == []
    assert result["summary"] == play(tmp_path, "Quiet", n_episodes=3)["summary"]


def test_who_takes_too_long_is_ended_and_has_failed(tmp_path):
    result = play(tmp_path, "Hangs", n_episodes=2, timeout=0.5)
    assert [e["error"] for e in result["episodes"]] == [
        "fake_separation:Hangs: no answer within 0.5 s"
    ] * 2


def test_a_process_that_dies_costs_the_episode_and_is_started_again(tmp_path):
    result = play(tmp_path, "Crashes", n_episodes=6)
    errors = {e["error"] for e in result["episodes"]}
    assert errors == {None, "fake_separation:Crashes: its process ended with exit status 3"}


def test_what_is_no_answer_is_not_believed(tmp_path):
    result = play(tmp_path, "Shouts", n_episodes=1)
    assert "does not answer in our format" in result["episodes"][0]["error"]


def test_the_error_of_an_agent_comes_with_its_traceback(tmp_path, capfd):
    play(tmp_path, "RaisesOnOddSeeds", n_episodes=6)
    printed = capfd.readouterr().err
    assert "RuntimeError: lost my way" in printed
    assert 'raise RuntimeError("lost my way")' in printed


def test_an_agent_that_cannot_be_built_is_named(tmp_path):
    with pytest.raises(UserError, match="has no 'Nobody'"):
        play(tmp_path, "Nobody")


@pytest.mark.parametrize("declares", [False, True])
@pytest.mark.parametrize("isolated", [False, True])
def test_a_predictor_is_told_the_truth_if_it_declares_that(tmp_path, declares, isolated):
    name = "Knows" if declares else "Asks"
    agent = AgentSpec("fake_rir_measure:Walkers", f'{{"predictor":"fake_rir_measure:{name}"}}')
    path = run.run_suite(Job(TEAM_SUITE, agent, n_episodes=1, isolated=isolated), tmp_path)
    result = read_result(path)
    (episode,) = result["episodes"]
    if declares:
        assert result["agent"]["privileged"] == ["truth"]
        assert episode["metrics"]["pe"] == 0
    else:
        assert result["agent"]["privileged"] == []
        assert "must declare privileged = ('truth',)" in episode["error"]


def test_seeds_of_agents_are_not_those_of_episodes():
    seeds = [agent_seed(run_seed, "all", k) for run_seed in (0, 1) for k in range(200)]
    assert len(set(seeds)) == 400
    old = [int(np.random.SeedSequence([0, k]).generate_state(1)[0]) for k in range(200)]
    assert not set(seeds) & set(old)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1, -2.5, "text", True, {"a": [], "b": {"c": None}}],
        {"move": np.int64(3), "estimate": np.arange(6, dtype=np.float32).reshape(2, 3)},
        np.zeros((0, 2), np.uint8),
    ],
)
def test_answers_survive_the_wire(value):
    np.testing.assert_equal(unpack(pack(value)), value)


def test_the_wire_carries_numbers_and_no_code():
    for odd in (object(), {1: 2}, np.array([None]), np.zeros(1, "M8[s]"), pytest):
        with pytest.raises(TypeError):
            pack(odd)
    good = pack([np.ones(3)])
    for bad in (b"", good[:-1], good + b"x", pickle.dumps(3), b"\xff" * 40, good[:4] + b"[]"):
        with pytest.raises(ValueError, match="cannot be read"):
            unpack(bad)


@pytest.mark.parametrize("size", [3, CAPACITY + 1])
def test_a_request_keeps_its_arrays_while_the_next_one_comes(size):
    first = {"a": np.arange(size, dtype=np.uint8), "b": np.ones((2, 3), np.float32).T, "c": "text"}
    with closing(ArrayWriter()) as writer:
        reader = ArrayReader(writer.descriptor)
        got = reader.loads(writer.dumps(first))
        reader.loads(writer.dumps({"a": np.full(size, 9, np.uint8)}))
        np.testing.assert_equal(got, first)
        got["a"][0] = 7  # agents may write into what they get
