"""Agents compared in the same episodes."""

import pytest
from made_results import GROUPED, SUITE, make_result, write

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


def test_two_files_are_compared_in_a_sentence(tmp_path, capsys):
    base = make_result("Random", gain=0, spread=5)
    write(tmp_path, base, shifted(base, "Good", 2))
    bad, good = tmp_path / "0.json", tmp_path / "1.json"
    assert compare.main([str(good), str(bad)]) == 0
    told = capsys.readouterr().out
    assert "Good is better than Random by 2.00 [" in told
    assert "in 92 % of the episodes that both played" in told
    assert compare.main([str(bad), str(good)]) == 0
    assert "Random is better than Good by -2.00 [" in capsys.readouterr().out


def test_two_files_of_different_suites_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(suites.SUITES, GROUPED.name, GROUPED)
    write(tmp_path, make_result("A"), make_result("B", suite=GROUPED))
    files = sorted(map(str, tmp_path.glob("*.json")))
    assert len(files) == 2
    assert compare.main(files) == 2
    assert "they played different suites" in capsys.readouterr().err


def test_three_paths_are_too_many(tmp_path, capsys):
    assert compare.main([str(tmp_path)] * 3) == 2
    assert "one directory, or two result files; not 3 paths" in capsys.readouterr().err


def test_who_is_not_there_is_named(tmp_path, capsys):
    write(tmp_path, make_result("Good"))
    assert compare.main([str(tmp_path), "--against", "Bad"]) == 2
    assert "--against 'Bad' must name one agent of Good" in capsys.readouterr().err
