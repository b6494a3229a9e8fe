"""The runner on a stand-in environment: results, resuming, failures, errors."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from fake_separation import FAKE_SUITE

from benchmarks import run, suites
from benchmarks.agents import AgentSpec, load_factory
from benchmarks.command_line import UserError
from benchmarks.episodes import reduce_steps
from benchmarks.results import DETERMINISTIC, KEYS, read_result
from benchmarks.suites import SUITES, Metric


@pytest.fixture(autouse=True)
def fake_suite(monkeypatch):
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)


def play(directory, agent, **options):
    return read_result(run.run_suite(FAKE_SUITE, AgentSpec.parse(agent), 0, directory, **options))


def deterministic(result):
    return {key: result[key] for key in (*DETERMINISTIC, "result_hash")}


def test_a_result_has_the_whole_schema(tmp_path):
    result = play(tmp_path, "baselines.separation:Random")
    assert set(result) == KEYS | {"result_hash"}
    assert result["complete"]
    assert result["suite"]["hash"] == FAKE_SUITE.hash
    assert [e["episode"] for e in result["episodes"]] == list(FAKE_SUITE.seeds)
    assert {e["length"] for e in result["episodes"]} == {20}
    assert [e["scene"] for e in result["episodes"]] == ["house-0", "house-1", "house-2"] * 4
    assert set(result["episodes"][0]["metrics"]) == set(FAKE_SUITE.metric_names)
    assert result["timing"]["env_steps"] == 240
    assert result["hardware"]["cpu"]


def test_standing_in_place_is_worth_nothing_and_the_oracle_more(tmp_path):
    still = play(tmp_path, "baselines.separation:StandInPlace")
    oracle = play(tmp_path, "baselines.separation:Oracle")
    # action 3 has effect 0 from the second step on; the oracle wins 2 dB in each
    assert abs(still["summary"]["si_sdr_gain"]) <= 2
    assert oracle["summary"]["si_sdr_final"] > still["summary"]["si_sdr_final"] + 35
    assert oracle["agent"]["privileged"] == ["action_gains"]
    assert still["agent"]["privileged"] == []
    mean = np.mean([e["metrics"]["return"] for e in oracle["episodes"]])
    assert oracle["summary"]["return"] == pytest.approx(mean, abs=1e-5)


def test_records_repeat_and_do_not_depend_on_workers(tmp_path):
    one = play(tmp_path / "one", "baselines.separation:Random")
    two = play(tmp_path / "two", "baselines.separation:Random", workers=2)
    assert deterministic(one) == deterministic(two)
    other = run.run_suite(FAKE_SUITE, AgentSpec("baselines.separation:Random"), 1, tmp_path)
    assert read_result(other)["result_hash"] != one["result_hash"]


def test_a_finished_run_is_kept_and_a_shortened_one_does_not_stand_in(tmp_path):
    agent = AgentSpec("baselines.separation:Random")
    short = run.run_suite(FAKE_SUITE, agent, 0, tmp_path, n_episodes=5)
    assert not read_result(short)["complete"]
    whole = run.run_suite(FAKE_SUITE, agent, 0, tmp_path)
    assert whole != short
    assert read_result(whole)["complete"]
    written = whole.stat().st_mtime_ns
    time.sleep(0.01)
    assert run.run_suite(FAKE_SUITE, agent, 0, tmp_path) == whole
    assert whole.stat().st_mtime_ns == written
    assert sorted(tmp_path.iterdir()) == sorted([short, whole])  # no temporary files left


def test_an_existing_file_of_another_agent_is_not_taken_for_ours(tmp_path, monkeypatch):
    agent = AgentSpec("baselines.separation:Random")
    run.run_suite(FAKE_SUITE, agent, 0, tmp_path)
    monkeypatch.setattr(run, "source_hash", lambda path: "changed since")
    with pytest.raises(UserError, match="other agent code"):
        run.run_suite(FAKE_SUITE, agent, 0, tmp_path)


def test_an_agent_that_raises_loses_the_episode_not_the_run(tmp_path):
    result = play(tmp_path, "fake_separation:RaisesOnOddSeeds")
    failed = [e for e in result["episodes"] if e["error"]]
    assert 0 < len(failed) < len(FAKE_SUITE.seeds)
    assert len(result["episodes"]) == len(FAKE_SUITE.seeds)
    for episode in failed:
        assert episode["error"] == "fake_separation:RaisesOnOddSeeds: RuntimeError: lost my way"
        assert set(episode["metrics"].values()) == {None}
    assert not result["complete"]


@pytest.mark.parametrize(
    ("agent", "complaint"),
    [
        ("AnswersNonsense", "'forward' is not in Discrete(4)"),
        ("AsksTooMuch", "unknown privileged key 'the_answer'"),
    ],
)
def test_nonsense_is_named(tmp_path, agent, complaint):
    result = play(tmp_path, f"fake_separation:{agent}", n_episodes=2)
    assert all(complaint in e["error"] for e in result["episodes"])


def test_an_agent_sees_no_truth_it_did_not_declare(tmp_path):
    assert play(tmp_path, "fake_separation:Peeks")["complete"]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("nowhere.at.all:Agent", "no module named 'nowhere'"),
        ("baselines.separation:Orakel", "has no 'Orakel'; it offers Oracle, Random, StandInPlace"),
        ("fake_separation:NOT_CALLABLE", "is a int, not callable"),
        ("baselines.separation", "not of the form module:Factory"),
        (":Agent", "not of the form module:Factory"),
    ],
)
def test_an_agent_that_cannot_be_loaded_is_explained(path, complaint):
    with pytest.raises(UserError) as caught:
        load_factory(path)
    assert complaint in str(caught.value)


def arguments(directory, **changes):
    given = {"suite": "fake-v1", "agent": "fake_separation:Quiet", "out": directory} | changes
    return [word for key, value in given.items() for word in (f"--{key}", str(value))]


def test_the_command_writes_one_file_per_seed(tmp_path, capsys):
    assert run.main([*arguments(tmp_path), "--seeds", "0", "3", "--episodes", "2"]) == 0
    files = capsys.readouterr().out.split()
    assert [read_result(run.Path(f))["seed"] for f in files] == [0, 3]
    assert "--seeds 0 3 --episodes 2" in json.loads(run.Path(files[0]).read_text())["command"]


def test_arguments_reach_the_agent_and_the_file_name(tmp_path, capsys):
    words = arguments(tmp_path, episodes=1)
    assert run.main([*words, "--agent-kwargs", '{"depth": 3}']) == 0
    assert run.main([*words, "--agent-kwargs", '{"depth": 4}']) == 0
    results = [read_result(run.Path(f)) for f in capsys.readouterr().out.split()]
    assert [r["agent"]["kwargs"]["depth"] for r in results] == [3, 4]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"suite": "sep-v9"}, "unknown suite 'sep-v9'; there is fake-v1, sep-demo-v1"),
        ({"agent": "nowhere:A"}, "no module named 'nowhere'"),
        ({"agent-kwargs": "{depth: 3}"}, "--agent-kwargs is not JSON"),
        ({"agent-kwargs": "[1]"}, "must be a JSON object"),
        ({"agent": "fake_separation:NoActor"}, "has no method act()"),
        (
            {"agent": "baselines.separation:Random", "agent-kwargs": '{"depth": 1}'},
            "unexpected keyword argument 'depth'",
        ),
        ({"out": "/dev/null/results"}, "cannot write /dev/null/results"),
    ],
)
def test_mistakes_end_in_one_sentence(tmp_path, capsys, changes, complaint):
    assert run.main(arguments(tmp_path, **({"episodes": 1} | changes))) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert "Traceback" not in error


@pytest.mark.parametrize("words", [["--episodes", "0"], ["--seeds", "-1"], ["--workers", "none"]])
def test_numbers_out_of_range_are_refused(tmp_path, words):
    with pytest.raises(SystemExit) as caught:
        run.main([*arguments(tmp_path), *words])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("reduce", "answer"), [("mean", 2.0), ("sum", 4.0), ("final", np.nan), ("nothing", np.nan)]
)
def test_undefined_steps_do_not_count(reduce, answer):
    values = [1.0, np.nan, 3.0, np.nan]
    if reduce == "nothing":
        reduce, values = "mean", [np.nan]
    metric = Metric("m", "x", reduce, higher_is_better=True)
    result = reduce_steps(metric, [0.0] * len(values), [{"x": np.float32(v)} for v in values])
    assert result == pytest.approx(answer, nan_ok=True)


def test_a_metric_that_the_environment_does_not_report_is_an_error():
    metric = Metric("m", "x", "mean", higher_is_better=True)
    with pytest.raises(ValueError, match=r"needs info\['x'\], which is absent"):
        reduce_steps(metric, [0.0], [{}])
    with pytest.raises(ValueError, match="infinite"):
        reduce_steps(metric, [0.0], [{"x": -np.inf}])


def test_the_suite_hash_follows_every_field():
    suite = SUITES["sep-near-unheard-v1"]
    assert len(suite.seeds) == 200
    assert suite.env_kwargs["houses"] == 20
    assert suite.hash != replace(suite, seeds=suite.seeds[::-1]).hash
    with pytest.raises(ValueError, match="199 seeds, 200 options"):
        replace(suite, seeds=suite.seeds[:-1])
    assert suite.hash != replace(suite, env_kwargs={"houses": 21}).hash
    with pytest.raises(ValueError, match="primary 'loudness' not in"):
        replace(suite, primary="loudness")
    with pytest.raises(ValueError, match="seeds repeat"):
        replace(suite, seeds=(1, 1))
