"""What the page plays is made once for every result."""

import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks.board import gallery, kept
from av_envs.benchmarks.board.replaying import replay
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.cache.rows import cache_directory


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / "cache"))
    cache_directory.cache_clear()
    yield
    cache_directory.cache_clear()


@pytest.fixture
def result(tmp_path):
    agent = AgentSpec("av_envs.baselines.separation:Oracle")
    return read_result(run_suite(Job(FAKE_SUITE, agent), tmp_path / "results"))


@pytest.fixture
def taken(monkeypatch):
    """The episodes that were taken again."""
    episodes = []

    def taking(suite, record, result, trust):
        episodes.append(record["episode"])
        return replay(suite, record, result, trust)

    monkeypatch.setattr(gallery, "replay", taking)
    return episodes


def senses(result, place=0):
    return gallery._senses(FAKE_SUITE, result["episodes"][place], result, trust=False)


def test_an_episode_is_taken_once(result, taken):
    first = senses(result)
    assert senses(result) == first
    assert taken == [result["episodes"][0]["episode"]]
    assert [track["name"] for track in first["tracks"]] == ["mixture", "truth"]


def test_other_episodes_results_and_engines_are_taken_anew(result, taken, monkeypatch):
    senses(result)
    senses(result, 1)
    senses({**result, "result_hash": "0" * 64})
    monkeypatch.setattr(kept, "ENGINE_VERSION", kept.ENGINE_VERSION + 1)
    senses(result)
    assert len(taken) == 4


def test_an_agent_that_could_not_be_asked_is_asked_again(result):
    answers = [({"no_estimate": "no torch"}, False), ({"no_estimate": ""}, True)]
    remaining = iter(answers)
    record = result["episodes"][0]
    told = [kept.kept_senses(result, record, lambda: next(remaining)) for _ in range(3)]
    assert told == [answers[0][0], answers[1][0], answers[1][0]]


def test_what_is_too_long_is_not_kept(result, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 100)
    calls = []

    def make():
        calls.append(1)
        return {"tracks": "x" * 101}, True

    for _ in range(2):
        assert kept.kept_senses(result, result["episodes"][0], make) == {"tracks": "x" * 101}
    assert len(calls) == 2
