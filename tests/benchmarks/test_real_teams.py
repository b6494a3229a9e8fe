"""Teams on the real environment, in a shortened suite of two flats."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reading import Page

from av_envs.benchmarks import report, verify
from av_envs.benchmarks.board.replaying import replay
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.results.files import read_result
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites
from av_envs.benchmarks.suites.suite import SUITES, Group

STEPS = 12
WHOLE = SUITES["rir-replica-like-v2"]
SUITE = replace(
    WHOLE,
    name="rir-short-v1",
    env_kwargs=WHOLE.env_kwargs | {"steps": STEPS, "queries": 4},
    groups=(Group("all", {}, (0, 1), ({"house": 0}, {"house": 1})),),
)
RANDOM = "av_envs.baselines.rir_measure:Random"


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(suites.SUITES, SUITE.name, SUITE)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Files of the same walk with three predictors."""
    folder = tmp_path_factory.mktemp("results")
    return {
        name: run_suite(Job(SUITE, AgentSpec(RANDOM, f'{{"predictor":"{name}"}}')), folder)
        for name in ("zero", "mean", "oracle")
    }


def test_who_predicts_better_scores_better_on_the_same_way(results):
    zero, mean, oracle = (read_result(path) for path in results.values())
    assert all(result["complete"] for result in (zero, mean, oracle))
    for one, other in zip(zero["episodes"], oracle["episodes"], strict=True):
        assert one["replay"] == other["replay"]
        assert one["metrics"]["cr"] == other["metrics"]["cr"]
    errors = [result["summary"]["pe"] for result in (zero, mean, oracle)]
    assert errors[2] == 0
    assert errors[1] < errors[0]
    assert oracle["summary"]["wcr"] > zero["summary"]["wcr"]
    assert [r["agent"]["privileged"] for r in (zero, mean, oracle)] == [[], [], ["truth"]]


def test_every_metric_has_a_value(results):
    for path in results.values():
        for episode in read_result(path)["episodes"]:
            assert episode["length"] == len(episode["series"]) == STEPS
            assert None not in episode["metrics"].values()
            assert [len(one["moves"]) for one in episode["replay"]["walkers"]] == [STEPS] * 2


def test_it_can_be_verified_and_shown(results, capsys):
    assert verify.main([str(results["mean"])]) == 0
    folder = results["mean"].parent
    assert report.main([str(folder), "--audio", "1"]) == 0
    capsys.readouterr()
    page = Page((folder / "leaderboard.html").read_text())
    agents = page.data["suites"][SUITE.name]["agents"]
    assert agents[0]["name"] == "Random + oracle predictor"
    assert all("tracks" in agent["episodes"][0] for agent in agents)
    assert all(floors["rooms"] for floors in page.data["maps"].values())


def test_the_way_is_heard_again(results):
    result = read_result(results["zero"])
    taken = replay(SUITE, result["episodes"][1], result)
    heard = taken.heard
    assert heard.shape == (2, STEPS * 4000)
    assert (np.abs(heard.reshape(2, STEPS, 4000)).max(axis=2) > 0).all()
    assert (taken.truth, taken.estimate) == (None, None)
    assert taken.views.shape == (STEPS + 1, 2, 128, 128, 3)
    assert (taken.views[:, 0] != taken.views[:, 1]).any()


def test_the_example_of_the_manual_plays(tmp_path, monkeypatch):
    manual = (Path(__file__).resolve().parents[2] / "docs" / "agents.md").read_text()
    code = re.search(r"```python\n(# my_teams.py.*?)```", manual, re.DOTALL).group(1)
    (tmp_path / "my_teams.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    episodes = read_result(run_suite(Job(SUITE, AgentSpec("my_teams:LeastVisited")), tmp_path))[
        "episodes"
    ]
    assert [episode["error"] for episode in episodes] == [None, None]
