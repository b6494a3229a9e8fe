"""The command that compares predictors on held-out pairs."""

import json

import numpy as np
import pytest

from av_envs.benchmarks.query_curve import ERRORS, interval, main

BRIEF = ["--kind", "house", "--split", "train", "--episodes", "2", "--queries", "2"]
BRIEF += ["--steps", "3", "1"]


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
