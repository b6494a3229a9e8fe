"""The command that compares predictors on held-out pairs."""

import json

import numpy as np
import pytest

from av_envs.benchmarks.query_curve import ERRORS, TEAM, interval, main

BRIEF = ["--kind", "house", "--split", "train", "--episodes", "2", "--queries", "2"]
BRIEF += ["--steps", "3", "1"]
RANDOM = "av_envs.baselines.rir_measure:Random"


def numbers(said: str) -> list[tuple[str, str]]:
    """(name, cells) of every row of the tables; titles and rules are left out."""
    rows = [line[2:].split(" | ", 1) for line in said.splitlines() if "[" in line]
    return [(name, cells) for name, cells in rows]


def test_it_prints_a_curve_for_every_error_and_keeps_episodes(tmp_path, capsys):
    kept = tmp_path / "kept.jsonl"
    asked = [*BRIEF, "--predictors", "mean", "zero", "interpolating_depth", "--out", str(kept)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert said.count("less mean") == 2 * len(ERRORS)
    assert "| STFT distance | 1 | 3 |" in said
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line[0][2] for line in lines] == [0, 1]
    assert main(asked) == 0
    assert capsys.readouterr().out == said
    assert len(kept.read_text().splitlines()) == 2


def test_several_teams_are_compared_as_each_plays_by_itself(tmp_path, capsys):
    kept = tmp_path / "kept.jsonl"
    asked = [*BRIEF, "--predictors", "mean", "interpolating"]
    alone = {}
    for team in (TEAM, RANDOM):  # the first writes what later is read
        out = ["--out", str(kept)] if team == TEAM else []
        assert main([*asked, "--team", team, *out]) == 0
        alone[team] = dict(reversed(numbers(capsys.readouterr().out)))  # of the first table
    assert main([*asked, "--team", TEAM, RANDOM, "--out", str(kept)]) == 0
    rows = numbers(capsys.readouterr().out)
    assert [name for name, _ in rows[:7]] == [
        "SpreadOut, mean",
        "SpreadOut, interpolating",
        "Random, mean",
        "Random, interpolating",
        *(
            f"{pair} less SpreadOut, mean"
            for pair in ("SpreadOut, interpolating", "Random, mean", "Random, interpolating")
        ),
    ]
    first = dict(rows[:7])
    for team, label in ((TEAM, "SpreadOut"), (RANDOM, "Random")):
        for name in ("mean", "interpolating"):
            assert first[f"{label}, {name}"] == alone[team][name]
    assert first["SpreadOut, interpolating"] != first["Random, interpolating"]
    assert first["Random, mean less SpreadOut, mean"].split(" | ")[0] == "0.000 [0.000, 0.000]"
    lines = [json.loads(line)[0] for line in kept.read_text().splitlines()]
    assert [line[2:3] + line[5:] for line in lines] == [[0], [1], [0, RANDOM], [1, RANDOM]]


@pytest.mark.parametrize(
    ("teams", "says"),
    [
        ([TEAM, "av_envs.baselines.rir_measure:Nobody"], "has no 'Nobody'"),
        (["Random"], "'Random' is not of the form module:Factory"),
        ([TEAM, "av_envs.baselines.rir_measure:CoverageOracle"], "knows neighbours, visited"),
    ],
)
def test_teams_that_cannot_be_compared(teams, says, capsys):
    assert main([*BRIEF, "--team", *teams]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("predictor", "says"),
    [("nobody", "'nobody' does not exist"), ("oracle", "knows the truth")],
)
def test_predictors_that_cannot_be_compared(predictor, says, capsys):
    assert main([*BRIEF, "--predictors", predictor]) == 2
    assert says in capsys.readouterr().err


def test_an_interval_holds_the_mean_and_narrows():
    rng = np.random.default_rng(0)
    few, many = (interval(rng.normal(2, 1, n)) for n in (10, 1000))
    assert few[1] < few[0] < few[2]
    assert many[2] - many[1] == pytest.approx(2 * 1.96 / 1000**0.5, rel=0.15)
    assert interval(np.array([3.0])) == (3, 3, 3)
