"""The figures behind the choice of a start."""

import json

import numpy as np
import pytest

from av_envs.benchmarks import starts


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(starts, "HOUSES", 1)
    monkeypatch.setattr(starts, "AGENTS", ("DoA", "GoToNearest", "StandInPlace"))


def test_the_command_measures_starts_and_agents(small, capsys):
    assert starts.main(["--episodes", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"].keys() == {"between", "near", "target", "far"}
    ratios = {start: row["target_to_rest_mean"] for start, row in figures["starts"].items()}
    assert ratios["target"] > ratios["between"]
    agents = figures["agents"]
    assert agents["StandInPlace"] == {"gain_mean": 0, "gain_final": 0}
    difference = figures["difference"]["gain_mean"]
    expected = agents["DoA"]["gain_mean"] - agents["GoToNearest"]["gain_mean"]
    assert difference["mean"] == pytest.approx(expected)
    low, high = difference["interval"]
    assert low <= difference["mean"] <= high
    printed = starts.table(figures)
    assert "| DoA minus GoToNearest |" in printed
    assert "2 episodes in 1 validation houses" in printed


def test_an_interval_covers_the_mean():
    low, high = starts.interval(np.random.default_rng(0).normal(3, 1, 400))
    assert 2.8 < low < 3 < high < 3.2


def test_wrong_numbers_and_starts_are_refused(capsys):
    for wrong in (["--episodes", "0"], ["--start", "here"]):
        with pytest.raises(SystemExit):
            starts.main(wrong)
    assert "must be at least 1, got 0" in capsys.readouterr().err
