"""Teams of the measuring task: what they bring, what is recorded, what the board says."""

import json

import numpy as np
import pytest
from fake_rir_measure import LONG_SUITE, TEAM_SUITE, FakeMeasure
from fake_separation import FakeSeparation
from reading import Page

from av_envs.benchmarks import measure_scales, report, run, verify
from av_envs.benchmarks.board.leaderboard import build_rows
from av_envs.benchmarks.board.normalisation import read_scales
from av_envs.benchmarks.board.replaying import replay
from av_envs.benchmarks.board.tables import plain_text
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, open_job_player
from av_envs.benchmarks.play.trajectories import replay_actions
from av_envs.benchmarks.results.files import canonical, read_result
from av_envs.benchmarks.results.schema import first_fault
from av_envs.benchmarks.suites import suite as suites
from av_envs.rir_measure.metrics.episode import wcr

WALKERS = "fake_rir_measure:Walkers"


@pytest.fixture(autouse=True)
def fake_suites(monkeypatch):
    for suite in (TEAM_SUITE, LONG_SUITE):
        monkeypatch.setitem(suites.SUITES, suite.name, suite)


def play(directory, *, suite=TEAM_SUITE, isolated=False, **kwargs):
    spec = AgentSpec.parse(WALKERS, json.dumps(kwargs))
    return run.run_suite(Job(suite, spec, isolated=isolated), directory)


def test_a_team_brings_its_predictor_by_name_path_or_object(tmp_path):
    silent = read_result(play(tmp_path))  # the suite's own predictor
    named = read_result(play(tmp_path, predictor="zero"))
    path = read_result(play(tmp_path, predictor="fake_rir_measure:Half"))
    made = read_result(play(tmp_path, fault="none"))  # an object
    assert silent["summary"] == named["summary"]
    assert path["summary"]["pe"] == pytest.approx(0.0575)  # mean of (t + 1) / 200, t = 1..20
    assert silent["summary"]["pe"] == pytest.approx(0.105)
    assert made["summary"] == path["summary"]
    assert all(result["complete"] for result in (silent, named, path, made))


def test_a_predictor_that_knows_the_truth_marks_the_row(tmp_path):
    honest = read_result(play(tmp_path, predictor="zero"))
    knowing = read_result(play(tmp_path, predictor="oracle"))
    assert honest["agent"]["privileged"] == []
    assert knowing["agent"]["privileged"] == ["truth"]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("reset", "RuntimeError: forgot how to start"),
        ("predict", "RuntimeError: no idea"),
        ("nan", "64000 of 64000 samples are nan or infinite"),
        ("short", "must have shape (2, 2, 16000), got (2, 2, 100)"),
        ("observe", "SystemExit: enough"),
    ],
)
def test_a_predictor_that_fails_loses_the_episode_not_the_run(tmp_path, fault, complaint):
    episodes = read_result(play(tmp_path, fault=fault))["episodes"]
    errors = [episode["error"] for episode in episodes]
    # houses are played one after the other: episodes 0 3, 1 4, 2 5
    assert [error is None for error in errors] == [True] * 3 + [False] * 3
    assert all(error.startswith(f"{WALKERS}: ") and complaint in error for error in errors[3:])
    assert {e["metrics"]["wcr"] for e in episodes[3:]} == {None}
    assert [e["scene"] for e in episodes] == ["flat-0", "flat-1", "flat-2"] * 2


@pytest.mark.parametrize(
    ("predictor", "complaint"),
    [("zeero", "predictor 'zeero' does not exist"), ("nowhere:P", "cannot import 'nowhere'")],
)
def test_a_predictor_that_does_not_exist_is_the_callers_mistake(tmp_path, predictor, complaint):
    with pytest.raises(UserError, match=complaint):
        play(tmp_path, predictor=predictor)


def test_other_tasks_have_no_use_for_a_predictor():
    job = Job(TEAM_SUITE, AgentSpec(WALKERS, '{"predictor":"oracle"}'), 0, 1, isolated=False)
    assert open_job_player(job, FakeSeparation()).declared.predictor is None
    declared = open_job_player(job, FakeMeasure()).declared
    assert (declared.predictor, declared.all_privileged) == ("oracle", ("truth",))


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The file of a ranked run."""
    return play(tmp_path_factory.mktemp("walked"), isolated=True)


def test_records_repeat_and_verify(walked, capsys):
    assert verify.main([str(walked), "--episodes", "3"]) == 0
    capsys.readouterr()


def test_a_record_tells_where_every_robot_went(walked):
    result = read_result(walked)
    record = result["episodes"][1]
    replay = record["replay"]
    assert replay["sources"] == [[4.5, 1.5]]
    assert replay["receivers"] == [[5.5, 1.5, 2]]
    assert [len(robot["moves"]) for robot in replay["walkers"]] == [20, 20]
    env = FakeMeasure()
    env.reset(seed=1, options={"house": 1})
    for action in replay_actions(replay, env):
        env.step(action)
    assert env.replay_log() == replay
    assert record["series"][-1] == pytest.approx(record["metrics"]["wcr"], abs=0.005)
    assert record["metrics"]["pe_query"] == 0.5  # undefined before the end, which does not count


def test_collisions_are_those_of_all_robots(walked):
    """Random walkers on the open square bump now and then, each on its own account."""
    bumps = []
    for record in read_result(walked)["episodes"]:
        bumps.append([robot["moves"].count("f") for robot in record["replay"]["walkers"]])
        assert record["metrics"]["collisions"] == sum(bumps[-1])
    assert any(map(all, bumps))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda replay: replay.pop("stride"), "replay lacks stride"),
        (lambda replay: replay.update(walk=1), "has the unknown walk"),
        (lambda replay: replay.update(task="x"), "task must be one of separation, rir_measure"),
        (lambda replay: replay["sources"].append([1]), "sources must be lists of 2 numbers"),
        (lambda replay: replay["receivers"].append([1]), "receivers must be lists of 3 numbers"),
        (lambda replay: replay["walkers"][1].update(moves="FX"), "walkers[1] must start at"),
        (lambda replay: replay["walkers"][0].pop("start"), "walkers[0] lacks start"),
        (lambda replay: replay["walkers"][0].update(moves="F"), "the same number of moves"),
        (lambda replay: replay.update(walkers=[]), "the same number of moves"),
        (lambda replay: replay.update(target="x", sources=[]), "must hold that of the target"),
    ],
)
def test_a_malformed_replay_is_named(walked, change, complaint):
    result = read_result(walked)
    assert first_fault(result) is None
    change(result["episodes"][2]["replay"])
    fault = first_fault(result)
    assert fault.startswith("episodes[2].replay")
    assert complaint in fault


def test_wcr_of_the_averages_stands_beside_the_average(walked):
    path, folder = walked, walked.parent
    row = build_rows([read_result(path)])[0]
    assert row.metrics["wcr_agg"] == pytest.approx(wcr(row.metrics["cr"], row.metrics["pe"]))
    assert row.metrics["wcr_agg"] != pytest.approx(row.metrics["wcr"], abs=1e-9)
    report.main([str(folder), "--audio", "0"])
    text = (folder / "leaderboard.md").read_text()
    assert "| score | wcr | cr | pe | 95 % interval |" in text
    assert "| wcr_mean | wcr_agg | pes | cr_mean |" in text
    beside = " | ".join(f"{row.metrics[name]:.4f}" for name in ("wcr", "cr", "pe"))
    assert f"| {row.score:.4f} | {beside} |" in text
    assert f"| {row.metrics['wcr_mean']:.4f} | {row.metrics['wcr_agg']:.4f} |" in text
    assert "read CR and the prediction error PE beside it" in text
    header = plain_text([row]).splitlines()[1].split()
    assert {"cr", "pe"} <= set(header)
    assert "sep" not in text


def test_the_overview_shows_no_wcr_alone(tmp_path):
    play(tmp_path, isolated=True)
    play(tmp_path, suite=suites.SUITES[LONG_SUITE.name], isolated=True)
    report.main([str(tmp_path), "--audio", "0"])
    overview = Page((tmp_path / "leaderboard.html").read_text()).tables[0]
    assert all("(wcr 0." in cell for row in overview for cell in row[1:] if cell != "-")


def test_the_page_shows_and_sounds_a_team(walked):
    path, folder = walked, walked.parent
    assert report.main([str(folder), "--audio", "1"]) == 0
    data = Page((folder / "leaderboard.html").read_text()).data
    suite = data["suites"][TEAM_SUITE.name]
    assert (suite["digits"], suite["metric"]) == (4, "wcr_mean")
    best = suite["agents"][0]["episodes"][0]
    record = next(e for e in read_result(path)["episodes"] if e["episode"] == best["episode"])
    assert best["replay"] == record["replay"]
    assert best["beside"] == {name: record["metrics"][name] for name in ("wcr", "cr", "pe")}
    assert [track["name"] for track in best["tracks"]] == ["clap"]
    assert best["no_estimate"] == ""
    assert [len(tiles) for tiles in best["views"]["tiles"]] == [21, 21]
    assert best["pace"] == 4  # steps in a second
    assert set(data["maps"]) == {"flat-0", "flat-1", "flat-2"}


def test_what_was_measured_is_heard_again(walked):
    record = read_result(walked)["episodes"][0]
    taken = replay(TEAM_SUITE, record, read_result(walked))
    heard = taken.heard
    assert heard.shape == (2, 20 * 4000)
    np.testing.assert_allclose(heard[0, 2000::4000], np.arange(1, 21) / 100)
    record["replay"]["walkers"][0]["start"][0] += 1
    with pytest.raises(UserError, match="another version of the environment"):
        replay(TEAM_SUITE, record, read_result(walked))


def test_a_whole_suite_fits_into_a_small_file(tmp_path):
    """Five episodes as long as the real ones; the suites have a hundred."""
    episodes = read_result(play(tmp_path, suite=LONG_SUITE))["episodes"]
    assert {episode["length"] for episode in episodes} == {250}
    assert 20 * len(canonical(episodes)) < 500_000


def test_scales_of_teams_are_told_apart_by_their_predictors(tmp_path, monkeypatch):
    ends = ((WALKERS, {"predictor": "zero"}), (WALKERS, {"predictor": "oracle"}))
    monkeypatch.setattr(measure_scales, "TEAM_ENDS", ends)
    for predictor in ("zero", "oracle"):
        play(tmp_path, isolated=True, predictor=predictor)
    file = tmp_path / "kept" / "normalisation.json"
    file.parent.mkdir()
    file.write_text("{}")
    assert measure_scales.main([str(tmp_path), "--file", str(file)]) == 0
    (scale,) = read_scales(file).values()
    assert scale.low < scale.high  # the same ways, better predicted
