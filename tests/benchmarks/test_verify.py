"""Files that tell the truth pass; whatever is edited or does not repeat is refused."""

import json

import numpy as np
import pytest
from fake_separation import FAKE_SUITE, FakeSeparation

from av_envs.benchmarks import suites, verify
from av_envs.benchmarks.agents import AgentSpec
from av_envs.benchmarks.results import read_result, write_result
from av_envs.benchmarks.run import run_suite

AGENT = AgentSpec("av_envs.baselines.separation:Random")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)
    return run_suite(FAKE_SUITE, AGENT, 7, tmp_path)


def check(path, *words):
    return verify.main([str(path), *words])


def reseal(path, change):
    """Edit a file and give it a hash that fits, as a forger would."""
    result = read_result(path)
    change(result)
    del result["result_hash"]
    write_result(path, result)


def test_an_honest_file_passes(path, capsys):
    assert check(path, "--episodes", "3") == 0
    printed = capsys.readouterr().out
    assert "av_envs.baselines.separation:Random on fake-v1, seed 7" in printed
    assert printed.count("(all)") == 3
    assert check(path, "--episodes", "500") == 0  # all there are


def test_a_short_or_failed_run_can_be_honest_too(tmp_path, path):
    assert check(run_suite(FAKE_SUITE, AGENT, 0, tmp_path, n_episodes=2)) == 0
    agent = AgentSpec("fake_separation:RaisesOnOddSeeds")
    assert check(run_suite(FAKE_SUITE, agent, 0, tmp_path), "--episodes", "12") == 0


def test_an_edited_file_is_refused(path, capsys):
    path.write_text(path.read_text().replace('"stft_distance":0.3', '"stft_distance":0.2', 1))
    assert check(path) == 1
    assert "was edited: its content does not match its result_hash" in capsys.readouterr().err


def better(metric, by):
    def change(result):
        for episode in result["episodes"]:
            episode["metrics"][metric] += by
        result["summary"][metric] += by

    return change


def first(key, value):
    def change(result):
        for episode in result["episodes"]:
            episode[key] = value

    return change


def add(place, key, value):
    def change(result):
        result["episodes"][place][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (better("si_sdr_gain", 0.01), "came out differently: si_sdr_gain is"),
        (first("length", 19), "the length is another"),
        (first("walk", None), "the walk is another"),
        (first("scene", "house-9"), "the scene is another"),
        (first("series", [9.0] * 20), "the series is another"),
        (first("series", []), "the series is another"),
        (lambda r: r.update(seed=8), "came out differently"),
        (lambda r: r["summary"].update(si_sdr=99.0), "the summary is not the mean"),
        (lambda r: r.update(complete=False), "'complete' says False"),
        (lambda r: r["episodes"].pop(), "the summary is not the mean"),
        (add(0, "episode", 5), "fake-v1 has no episode 5 (all)"),
        (add(0, "episode", 101), "episode 101 (all) is there twice"),
        (lambda r: r["episodes"][0]["metrics"].pop("return"), "reports other metrics"),
        (lambda r: r.update(episodes=[]), "there are no episodes"),
    ],
)
def test_a_forged_file_is_refused(path, capsys, change, complaint):
    reseal(path, change)
    assert check(path, "--episodes", "12") == 1
    assert complaint in capsys.readouterr().err


def test_rounding_of_another_processor_is_forgiven(path):
    reseal(path, better("si_sdr", 1e-4))
    assert check(path, "--episodes", "12") == 0


def test_an_environment_that_has_changed_is_noticed(path, monkeypatch, capsys):
    honest = FakeSeparation._info

    def louder(self):
        info = honest(self)
        return info | {"si_sdr": info["si_sdr"] + np.float32(1)}

    monkeypatch.setattr(FakeSeparation, "_info", louder)
    monkeypatch.setattr(verify, "git_state", lambda: {"commit": "0" * 40})
    assert check(path) == 1
    assert "the file was made with other code" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: r["suite"].update(name="sep-v9"), "unknown suite 'sep-v9'"),
        (lambda r: r["suite"].update(hash="0"), "another definition of fake-v1"),
        (lambda r: r["agent"].update(path="nowhere:A"), "no module named 'nowhere'"),
        (add(3, "note", "hello"), "malformed: episodes[3] has the unknown note"),
        (add(2, "metrics", {"si_sdr": "9"}), "episodes[2].metrics.si_sdr must be a number or null"),
        (add(1, "walk", {"poses": [[1, 2]], "sources": [], "target": "x"}), "lists of 3 numbers"),
        (lambda r: r["agent"].pop("hash"), "malformed: agent lacks hash"),
        (lambda r: r.update(git=[]), "malformed: git must be an object"),
        (lambda r: r.update(seed="7"), "malformed: seed has the wrong type"),
        (
            lambda r: r["agent"].update(hash="0"),
            "the code of av_envs.baselines.separation:Random is not",
        ),
    ],
)
def test_what_cannot_be_checked_here_is_said(path, capsys, change, complaint):
    reseal(path, change)
    assert check(path) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot read"), ("{", "is not JSON"), (json.dumps([1]), "is not an av-bench/result")],
)
def test_foreign_files_are_named(tmp_path, capsys, content, complaint):
    path = tmp_path / "odd.json"
    if content is not None:
        path.write_text(content)
    assert check(path) == 2
    assert complaint in capsys.readouterr().err
