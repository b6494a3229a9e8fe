"""Agents compared in the same episodes."""

import pytest
from made_results import SUITE, make_result, write

from av_envs.benchmarks import compare
from av_envs.benchmarks.suites import suite as suites


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(suites.SUITES, SUITE.name, SUITE)


def shifted(result, name, by):
    """The same scores, higher by `by` in all episodes but the first."""
    other = make_result(name)
    for mine, theirs in zip(other["episodes"][1:], result["episodes"][1:], strict=True):
        mine["metrics"]["si_sdr_gain"] = theirs["metrics"]["si_sdr_gain"] + by
    other["episodes"][0]["metrics"] = dict(result["episodes"][0]["metrics"])
    return other


def test_differences_are_those_of_the_same_episode(tmp_path, capsys):
    """All spread between episodes drops out: in the middle half of the houses all gain 2."""
    base = make_result("Random", gain=0, spread=5)
    write(tmp_path, base, shifted(base, "Good", 2))
    assert compare.main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    good = next(line for line in lines if line.startswith("| Good"))
    assert "| 2.00 [" in good
    assert good.endswith("| 92 % |")
    score, share = compare.compare(SUITE, [shifted(base, "Good", 2)], [base])
    assert score.value == pytest.approx(2)
    assert score.interval[1] == pytest.approx(2)
    assert share == pytest.approx(11 / 12)


def test_who_is_not_there_is_named(tmp_path, capsys):
    write(tmp_path, make_result("Good"))
    assert compare.main([str(tmp_path), "--against", "Bad"]) == 2
    assert "--against 'Bad' must name one agent of Good" in capsys.readouterr().err
