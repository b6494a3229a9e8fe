"""The runner on a stand-in environment: results, resuming, failures, errors."""

import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fake_separation import FAKE_SUITE, GROUPED_SUITE

from av_envs.benchmarks import run
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play import agents
from av_envs.benchmarks.play.agents import AgentSpec, load_factory
from av_envs.benchmarks.play.episodes import Job, Played, reduce_steps
from av_envs.benchmarks.play.journal import Journal
from av_envs.benchmarks.results.files import DETERMINISTIC, read_result
from av_envs.benchmarks.results.schema import SHAPE
from av_envs.benchmarks.suites import suite as suites
from av_envs.benchmarks.suites.suite import Metric

SEEDS = FAKE_SUITE.groups[0].seeds


@pytest.fixture(autouse=True)
def fake_suite(monkeypatch):
    for suite in (FAKE_SUITE, GROUPED_SUITE):
        monkeypatch.setitem(suites.SUITES, suite.name, suite)


def play(directory, agent, *, workers=1, isolated=False, **options):
    job = Job(FAKE_SUITE, AgentSpec.parse(agent), isolated=isolated, **options)
    return read_result(run.run_suite(job, directory, workers=workers))


def deterministic(result):
    return {key: result[key] for key in (*DETERMINISTIC, "result_hash")}


def test_a_result_has_the_whole_schema(tmp_path):
    result = play(tmp_path, "av_envs.baselines.separation:Random")
    assert set(result) == set(SHAPE)
    assert result["complete"]
    assert result["suite"]["hash"] == FAKE_SUITE.hash
    assert [e["episode"] for e in result["episodes"]] == list(SEEDS)
    assert {e["length"] for e in result["episodes"]} == {20}
    assert [e["scene"] for e in result["episodes"]] == ["house-0", "house-1", "house-2"] * 4
    assert set(result["episodes"][0]["metrics"]) == set(FAKE_SUITE.metric_names)
    assert result["timing"]["env_steps"] == 240
    assert result["hardware"]["cpu"]


def test_standing_in_place_is_worth_nothing_and_the_oracle_more(tmp_path):
    still = play(tmp_path, "av_envs.baselines.separation:StandInPlace")
    oracle = play(tmp_path, "av_envs.baselines.separation:Oracle")
    # action 3 has effect 0 from the second step on; the oracle wins 2 dB in each
    assert abs(still["summary"]["si_sdr_gain"]) <= 2
    assert oracle["summary"]["si_sdr_final"] > still["summary"]["si_sdr_final"] + 35
    assert oracle["agent"]["privileged"] == ["action_gains"]
    assert still["agent"]["privileged"] == []
    mean = np.mean([e["metrics"]["return"] for e in oracle["episodes"]])
    assert oracle["summary"]["return"] == pytest.approx(mean, abs=1e-5)


@pytest.mark.slow
def test_records_repeat_and_do_not_depend_on_workers(tmp_path):
    agent = "av_envs.baselines.separation:Random"
    one = play(tmp_path / "one", agent, isolated=True)
    two = play(tmp_path / "two", agent, isolated=True, workers=2)
    assert deterministic(one) == deterministic(two)
    other = run.run_suite(
        Job(FAKE_SUITE, AgentSpec("av_envs.baselines.separation:Random"), 1), tmp_path
    )
    assert read_result(other)["result_hash"] != one["result_hash"]


def test_a_finished_run_is_kept_and_a_shortened_one_does_not_stand_in(tmp_path):
    agent = AgentSpec("av_envs.baselines.separation:Random")
    short = run.run_suite(Job(FAKE_SUITE, agent, n_episodes=5), tmp_path)
    assert not read_result(short)["complete"]
    whole = run.run_suite(Job(FAKE_SUITE, agent), tmp_path)
    assert whole != short
    assert read_result(whole)["complete"]
    written = whole.stat().st_mtime_ns
    time.sleep(0.01)
    assert run.run_suite(Job(FAKE_SUITE, agent), tmp_path) == whole
    assert whole.stat().st_mtime_ns == written
    assert sorted(tmp_path.iterdir()) == sorted([short, whole])  # no temporary files left


def test_an_existing_file_of_another_agent_is_not_taken_for_ours(tmp_path, monkeypatch):
    agent = AgentSpec("av_envs.baselines.separation:Random")
    run.run_suite(Job(FAKE_SUITE, agent), tmp_path)
    monkeypatch.setattr(agents, "source_hash", lambda path, kwargs: "changed since")
    with pytest.raises(UserError, match="was made with another agent, agent code"):
        run.run_suite(Job(FAKE_SUITE, agent), tmp_path)


def test_an_agent_that_raises_loses_the_episode_not_the_run(tmp_path):
    result = play(tmp_path, "fake_separation:RaisesOnOddSeeds")
    failed = [e for e in result["episodes"] if e["error"]]
    assert 0 < len(failed) < len(SEEDS)
    assert len(result["episodes"]) == len(SEEDS)
    for episode in failed:
        assert episode["error"] == "fake_separation:RaisesOnOddSeeds: RuntimeError: lost my way"
        assert set(episode["metrics"].values()) == {None}
    assert not result["complete"]


@pytest.mark.parametrize(
    ("agent", "complaint"),
    [
        ("AnswersNonsense", "AnswersNonsense: 'forward' is not in Discrete(4)"),
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
        ("nowhere.at.all:Agent", "no module named 'nowhere.at.all'"),
        ("av_envs.baselines.separation:Orakel", "has no 'Orakel'; it offers DoA, "),
        ("fake_separation:NOT_CALLABLE", "is a int, not callable"),
        ("av_envs.baselines.separation", "not of the form module:Factory"),
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
    assert "--seeds 3 --out results --episodes 2" in read_result(run.Path(files[1]))["command"]


def test_arguments_reach_the_agent_and_the_file_name(tmp_path, capsys):
    words = arguments(tmp_path, episodes=1)
    assert run.main([*words, "--agent-kwargs", '{"depth": 3}']) == 0
    assert run.main([*words, "--agent-kwargs", '{"depth": 4}']) == 0
    results = [read_result(run.Path(f)) for f in capsys.readouterr().out.split()]
    assert [r["agent"]["kwargs"]["depth"] for r in results] == [3, 4]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"suite": "sep-v9"}, "unknown suite 'sep-v9'; there is fake-grouped-v1, fake-v1"),
        ({"agent": "nowhere:A"}, "no module named 'nowhere'"),
        ({"agent-kwargs": "{depth: 3}"}, "--agent-kwargs is not JSON"),
        ({"agent-kwargs": "[1]"}, "must be a JSON object"),
        ({"agent": "fake_separation:NoActor"}, "a NoActor lacks the method act"),
        (
            {"agent": "av_envs.baselines.separation:Random", "agent-kwargs": '{"depth": 1}'},
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


def test_groups_are_played_with_their_own_options(tmp_path):
    path = run.run_suite(Job(GROUPED_SUITE, AgentSpec("fake_separation:Quiet")), tmp_path)
    result = read_result(path)
    assert result["complete"]
    assert [e["group"] for e in result["episodes"]] == ["quiet"] * 6 + ["loud"] * 6
    quiet, loud = result["episodes"][:6], result["episodes"][6:]
    for one, other in zip(quiet, loud, strict=True):  # the same seeds, 5 dB apart
        difference = one["metrics"]["si_sdr"] - other["metrics"]["si_sdr"]
        assert difference == pytest.approx(5, abs=1e-4)
    assert result["env"]["specs"]["loud"]["kwargs"]["offset"] == -5


def test_a_shortened_run_takes_the_first_of_every_group(tmp_path):
    agent = AgentSpec("fake_separation:Quiet")
    result = read_result(run.run_suite(Job(GROUPED_SUITE, agent, n_episodes=2), tmp_path))
    assert [(e["group"], e["episode"]) for e in result["episodes"]] == [
        ("quiet", 0),
        ("quiet", 1),
        ("loud", 0),
        ("loud", 1),
    ]


def test_a_record_tells_where_the_agent_went(tmp_path):
    record = play(tmp_path, "av_envs.baselines.separation:Random", n_episodes=1)["episodes"][0]
    replay = record["replay"]
    (walker,) = replay["walkers"]
    assert walker["start"][:2] == [3.5, 3.5]
    assert len(walker["moves"]) == 20
    assert set("FLRS") <= set(walker["moves"]) <= set("FfLRS")
    assert len(replay["sources"]) == 2
    assert replay["target"] == "voice 1"
    assert len(record["series"]) == 20
    assert record["series"][3] is None  # the target paused


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    agent = AgentSpec("av_envs.baselines.separation:Random")
    whole = read_result(run.run_suite(Job(FAKE_SUITE, agent), tmp_path / "whole"))
    honest, played = run.play, []

    def interrupted(*arguments):
        for one in honest(*arguments):
            played.append(one.index)
            yield one
            if len(played) == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr(run, "play", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.run_suite(Job(FAKE_SUITE, agent), tmp_path)
    assert [path.suffix for path in tmp_path.glob("*.*")] == [".partial"]
    path = run.run_suite(Job(FAKE_SUITE, agent), tmp_path)
    assert read_result(path)["result_hash"] == whole["result_hash"]
    assert sorted(played) == list(range(12))  # none was played twice
    assert not list(tmp_path.glob("*.partial"))


def test_half_a_run_of_other_code_is_not_continued(tmp_path):
    path = tmp_path / "x.partial"
    record = {"group": "all", "episode": 0, "error": None}
    with closing(Journal(path, {"seed": 0})) as journal:
        journal.add(Played(3, record, [0.5], 1.0))
    with path.open("a") as file:
        file.write('{"index":4,"rec')  # the power went off
    with closing(Journal(path, {"seed": 0})) as journal:
        assert list(journal.played) == [3]
        assert journal.played[3] == Played(3, record, [0.5], 1.0)
        journal.add(Played(4, record, [0.5], 1.0))
    with closing(Journal(path, {"seed": 0})) as journal:
        assert list(journal.played) == [3, 4]
    with closing(Journal(path, {"seed": 1})) as journal:
        assert not journal.played


def test_opening_a_journal_leaves_its_lines_where_they_are(tmp_path, monkeypatch):
    """A kill at any moment costs the episode that is being played, no other."""
    path = tmp_path / "x.partial"
    record = {"group": "all", "episode": 0, "error": None}
    with closing(Journal(path, {"seed": 0})) as journal:
        for index in range(5):
            journal.add(Played(index, record, [0.5], 1.0))
    content = path.read_bytes()
    path.write_bytes(content + b"half a li")
    with closing(Journal(path, {"seed": 0})):
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: [lines[0], lines[1].replace('"episode":0', '"episode":9'), lines[2]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[0], lines[2], lines[1]],
        lambda lines: [lines[0], lines[1], "nonsense", lines[2]],
    ],
)
def test_a_journal_that_was_edited_is_not_continued(tmp_path, edit):
    path = tmp_path / "x.partial"
    with closing(Journal(path, {"seed": 0})) as journal:
        for index in range(2):
            journal.add(Played(index, {"episode": index}, [0.5], 1.0))
    path.write_text("\n".join(edit(path.read_text().splitlines())) + "\n")
    with pytest.raises(UserError, match=r"x\.partial was edited or damaged"):
        Journal(path, {"seed": 0})


def test_a_full_disk_is_named(tmp_path):
    journal = Journal(tmp_path / "x.partial", {"seed": 0})
    journal._file.close()
    complaint = r"cannot write .*x\.partial: No space left"
    with (
        Path("/dev/full").open("wb", buffering=0) as journal._file,
        pytest.raises(UserError, match=complaint),
    ):
        journal.add(Played(0, {}, [0.5], 1.0))


def test_several_suites_and_agents_in_one_command(tmp_path, capsys):
    agents = ["fake_separation:Quiet", "fake_separation:Peeks"]
    words = ["--suite", "fake-v1", "fake-grouped-v1", "--agent", *agents, "--out", str(tmp_path)]
    assert run.main([*words, "--episodes", "1"]) == 0
    results = [read_result(run.Path(f)) for f in capsys.readouterr().out.split()]
    assert [(r["suite"]["name"], r["agent"]["name"]) for r in results] == [
        ("fake-v1", "Quiet"),
        ("fake-v1", "Peeks"),
        ("fake-grouped-v1", "Quiet"),
        ("fake-grouped-v1", "Peeks"),
    ]
