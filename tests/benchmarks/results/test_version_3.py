"""Files of the schema av-bench/result/3 are still read, shown, compared and verified."""

import pytest
from fake_rir_measure import TEAM_SUITE
from fake_separation import FAKE_SUITE
from reading import Page

from av_envs.benchmarks import compare, report, verify
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.play.trajectories import without_bumps
from av_envs.benchmarks.results.files import read_result, write_result
from av_envs.benchmarks.results.version_3 import VERSION_3
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites

NORMALS = ((1, 0), (0, 1), (-1, 0), (0, -1))
AGENTS = {"separation": "av_envs.baselines.separation:Random", "team": "fake_rir_measure:Walkers"}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for suite in (FAKE_SUITE, TEAM_SUITE):
        monkeypatch.setitem(suites.SUITES, suite.name, suite)


@pytest.fixture(params=["separation", "team"])
def files(request, tmp_path):
    """A result of today and the same one as version 3 had it."""
    suite = FAKE_SUITE if request.param == "separation" else TEAM_SUITE
    new = run_suite(Job(suite, AgentSpec(AGENTS[request.param])), tmp_path / "new")
    old = tmp_path / "old" / new.name
    write_result(old, as_version_3(read_result(new)))
    return new, old


def as_version_3(result):
    del result["result_hash"], result["file_hash"]
    for record in result["episodes"]:
        record["walk"] = walk_of(without_bumps(record.pop("replay")))
    return {**result, "schema": VERSION_3}


def walk_of(log):
    if log["task"] == "rir_measure":
        kept = {key: log[key] for key in ("stride", "sources", "receivers")}
        return {**kept, "robots": log["walkers"]}
    (walker,) = log["walkers"]
    x, y, heading = walker["start"]
    poses = [[x, y, heading]]
    for move in walker["moves"]:
        if move == "F":
            x, y = x + NORMALS[heading][0], y + NORMALS[heading][1]
        heading = (heading + {"L": 1, "R": 3}.get(move, 0)) % 4
        poses.append([x, y, heading])
    return {"poses": poses, "sources": log["sources"], "target": log["target"]}


def test_what_is_read_differs_by_steps_that_led_nowhere_only(files):
    new, old = map(read_result, files)
    assert old["schema"] == VERSION_3
    for record in new["episodes"]:
        record["replay"] = without_bumps(record["replay"])
    assert old["episodes"] == new["episodes"]


def test_it_is_verified_shown_with_sound_and_compared(files, capsys):
    _, old = files
    assert verify.main([str(old), "--episodes", "3"]) == 0
    assert report.main([str(old.parent), "--audio", "1"]) == 0
    data = Page((old.parent / "leaderboard.html").read_text()).data
    (suite,) = data["suites"].values()
    assert "tracks" in suite["agents"][0]["episodes"][0]
    name = suite["agents"][0]["name"]
    assert compare.main([str(old.parent), "--against", name]) == 0
    capsys.readouterr()


def test_a_forged_way_is_refused(files, capsys):
    _, old = files
    result = as_version_3(read_result(files[0]))
    walk = result["episodes"][0]["walk"]
    walk["sources"][0][0] += 1
    write_result(old, result)
    assert verify.main([str(old), "--all"]) == 1
    assert "the replay is another" in capsys.readouterr().err


@pytest.mark.parametrize(
    "walk",
    [
        {"poses": [[0, 0, 0], [0, 0, 2]], "sources": [[1, 1]], "target": "x"},
        {"poses": [[0, 0]], "sources": [], "target": "x"},
        {"poses": [], "sources": [], "target": "x"},
        {"sources": [[1, 1]], "target": "x"},
        {"robots": [], "sources": []},
        3,
    ],
)
def test_a_malformed_walk_is_named(tmp_path, walk):
    path = run_suite(Job(FAKE_SUITE, AgentSpec(AGENTS["separation"]), n_episodes=2), tmp_path)
    result = as_version_3(read_result(path))
    result["episodes"][1]["walk"] = walk
    write_result(path, result)
    with pytest.raises(UserError, match=r"malformed: episodes\[1\]"):
        read_result(path)
