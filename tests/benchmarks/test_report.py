"""Leaderboards from results made by hand: ranks, intervals, what is refused."""

import csv
import json
from dataclasses import replace

import pytest
from made_results import ENV, GROUPED, SUITE, identity, make_result, write
from reading import Page

from av_envs.acoustics.bank import ENGINE_VERSION
from av_envs.benchmarks import measure_scales, report
from av_envs.benchmarks.board import leaderboard
from av_envs.benchmarks.board.leaderboard import build_rows
from av_envs.benchmarks.board.normalisation import Scale, read_scales
from av_envs.benchmarks.play.source_code import source_hash
from av_envs.benchmarks.results.files import (
    SCHEMA,
    read_result,
    result_hash,
    rounded,
)
from av_envs.benchmarks.suites import suite as suites


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for suite in (SUITE, GROUPED):
        monkeypatch.setitem(suites.SUITES, suite.name, suite)


def test_rows_are_ranked_best_first():
    rows = build_rows([make_result("Low", 1), make_result("High", 3), make_result("Mid", 2)])
    assert [(row.rank, row.agent) for row in rows] == [(1, "High"), (2, "Mid"), (3, "Low")]
    assert rows[0].score == pytest.approx(3, abs=0.5)
    assert rows[0].metrics["si_sdr_gain"] == pytest.approx(3, abs=0.5)


def test_equal_scores_share_a_rank_and_lower_can_be_better(monkeypatch):
    alike = [make_result(name, 1, spread=0) for name in "BA"] + [make_result("C", 2, spread=0)]
    assert [(r.rank, r.agent) for r in build_rows(alike)] == [(1, "C"), (2, "A"), (2, "B")]
    metric = replace(SUITE.primary_metric, higher_is_better=False)
    lower = replace(SUITE, metrics=(metric,))
    monkeypatch.setitem(suites.SUITES, SUITE.name, lower)
    for result in alike:
        result["suite"]["hash"] = lower.hash
    assert [(r.rank, r.agent) for r in build_rows(alike)] == [(1, "A"), (1, "B"), (3, "C")]


def test_the_interval_is_over_runs_from_three_runs_on():
    few = build_rows([make_result(seed=seed) for seed in range(2)])[0]
    assert (few.runs, few.basis) == (2, "episodes")
    many = build_rows([make_result(seed=seed) for seed in range(3)])[0]
    assert (many.runs, many.basis, many.episodes) == (3, "runs", 36)
    assert many.interval[0] <= many.score <= many.interval[1]


def test_an_undefined_episode_does_not_count():
    result = make_result(gain=2, spread=0)
    result["episodes"][0]["metrics"]["si_sdr_gain"] = None
    assert build_rows([result])[0].score == pytest.approx(2)


def failed_once(result):
    result["episodes"][3]["error"] = "m:A: RuntimeError: lost"
    return result | {"complete": False}


def stale(result):
    """Made by an agent that is here, with other code."""
    result["agent"]["path"] = "fake_separation:Quiet"
    return result


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (make_result(n=5), "5 of 12 episodes"),
        (failed_once(make_result()), "the agent failed in 1 of 12 episodes"),
        (
            make_result() | {"suite": identity(SUITE) | {"hash": "other"}},
            "another definition of this suite",
        ),
        (make_result() | {"suite": identity(SUITE) | {"name": "sep-x"}}, "unknown suite"),
        (make_result(isolated=False), "played without isolation"),
        (
            make_result(env=ENV | {"engine_version": 1}),
            f"acoustic engine 1, here it is {ENGINE_VERSION}",
        ),
        (make_result(env=ENV | {"asset_hash": "x"}), "other data files of the environments"),
        (stale(make_result()), "other code of the agent"),
    ],
)
def test_what_does_not_count_is_shown_but_not_ranked(result, reason):
    rows = build_rows([result, make_result("Whole", -5)])
    by_agent = {row.agent: row for row in rows}
    assert by_agent["A"].rank is None
    assert by_agent["A"].reason == reason
    assert by_agent["Whole"].rank == 1


def test_every_format_tells_the_same(tmp_path, capsys):
    write(
        tmp_path,
        make_result("<Low>", 1),
        make_result("High", 3, privileged=["action_gains"]),
        make_result("Short", 9, n=5),
    )
    words = ["--audio", "0"]
    assert report.main([*words, str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.split()) == 4
    lines = list(csv.DictReader((tmp_path / "leaderboard.csv").read_text().splitlines()))
    assert [line["agent"] for line in lines] == ["High", "<Low>", "Short"]
    score = f"{float(lines[0]['score']):.2f}"
    rows = json.loads((tmp_path / "leaderboard.json").read_text())["rows"]
    assert f"{rows[0]['score']:.2f}" == score
    text = (tmp_path / "leaderboard.md").read_text()
    assert f"| 1 | High (privileged) | {score} |" in text
    assert "python -m av_envs.benchmarks.run --agent m:High --seeds 0" in text
    page = Page((tmp_path / "leaderboard.html").read_text())
    ranked, _, unranked = page.tables
    assert [row[:2] for row in ranked] == [["1", "High privileged"], ["2", "<Low>"]]
    assert unranked[0][:2] == ["5 of 12 episodes", "Short"]
    assert score in ranked[0]
    assert "2 x Chip" in ranked[0]
    assert report.main([*words, str(tmp_path)]) == 0  # its own files are not taken for results


def test_an_edited_file_is_refused(tmp_path, capsys):
    write(tmp_path, make_result())
    path = tmp_path / "0.json"
    result = json.loads(path.read_text())
    result["episodes"][0]["metrics"]["si_sdr_gain"] += 1
    path.write_text(json.dumps(result))
    assert report.main([str(tmp_path)]) == 2
    assert "0.json was edited" in capsys.readouterr().err
    assert not (tmp_path / "leaderboard.html").exists()


@pytest.mark.parametrize("key", ["complete", "summary", "seed", "agent", "suite"])
def test_the_hash_covers(key):
    result = make_result()
    assert result_hash(result | {key: "changed"}) != result_hash(result)


@pytest.mark.parametrize("key", ["timing", "hardware", "created", "git", "packages", "command"])
def test_the_hash_leaves_out(key):
    result = make_result()
    assert result_hash(result | {key: "changed"}) == result_hash(result)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("{}", f"is not an {SCHEMA} file"),
        ("[1]", f"is not an {SCHEMA} file"),
        (json.dumps({"schema": SCHEMA}), "lacks agent, command, complete"),
    ],
)
def test_foreign_files_are_named(tmp_path, capsys, content, complaint):
    (tmp_path / "odd.json").write_text(content)
    assert report.main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "odd.json" in error
    assert complaint in error


def test_mistakes_of_the_report_end_in_one_sentence(tmp_path, capsys):
    assert report.main([str(tmp_path / "nowhere")]) == 2
    assert "no result files" in capsys.readouterr().err
    write(tmp_path, make_result(), make_result())
    assert report.main([str(tmp_path)]) == 2
    assert "two result files hold seed 0 of A" in capsys.readouterr().err


def test_numbers_survive_the_file_and_nan_becomes_null(tmp_path):
    result = make_result(gain=1 / 3, spread=0)
    result["episodes"][0]["metrics"]["si_sdr_gain"] = float("nan")
    write(tmp_path, result)
    kept = read_result(tmp_path / "0.json")["episodes"]
    assert kept[0]["metrics"]["si_sdr_gain"] is None
    assert kept[1]["metrics"]["si_sdr_gain"] == 0.333333
    with pytest.raises(ValueError, match="infinity"):
        rounded([float("inf")])


def test_groups_have_scores_of_their_own(tmp_path):
    result = make_result("A", 2, spread=0, suite=GROUPED)
    for episode in result["episodes"][6:]:
        episode["metrics"]["si_sdr_gain"] = -1.0
    other = make_result("B", 0, suite=GROUPED)
    row = build_rows([result, other])[0]
    assert {name: score.value for name, score in row.groups.items()} == {"quiet": 2, "loud": -1}
    assert row.score == pytest.approx(0.5)  # both groups count alike
    write(tmp_path, result, other)
    assert report.main([str(tmp_path), "--audio", "0"]) == 0
    assert "| A | 2.00 - | -1.00 - |" in (tmp_path / "leaderboard.md").read_text()
    page = Page((tmp_path / "leaderboard.html").read_text())
    assert ["A", "2.00 -", "-1.00 -"] in page.tables[1]


def test_houses_are_told_apart():
    result = make_result(spread=0, gain=1)
    for episode in result["episodes"]:
        if episode["scene"] == "house-2":
            episode["metrics"]["si_sdr_gain"] = 4.0
    houses = build_rows([result])[0].houses
    assert houses == pytest.approx({"house-0": 1, "house-1": 1, "house-2": 4, "house-3": 1})


def test_scores_are_put_on_the_scale_of_the_suite(monkeypatch):
    monkeypatch.setitem(leaderboard.SCALES, SUITE.name, Scale(1.0, 3.0))
    rows = build_rows([make_result("A", 2, spread=0), make_result("B", 3, spread=0)])
    assert [row.normalised for row in rows] == pytest.approx([1, 0.5])
    assert build_rows([make_result(suite=GROUPED)])[0].normalised is None
    with pytest.raises(ValueError, match="two different scores"):
        Scale(1.0, 1.0)


def test_scales_are_taken_from_results(tmp_path, capsys):
    standing, oracle = make_result("StandInPlace", 0, spread=0), make_result("Oracle", 2, spread=0)
    for result in (standing, oracle):
        result["agent"]["path"] = f"av_envs.baselines.separation:{result['agent']['name']}"
        result["agent"]["hash"] = source_hash(result["agent"]["path"])
    write(tmp_path, standing)
    file = tmp_path / "kept" / "normalisation.json"
    file.parent.mkdir()
    file.write_text('{"sep-x": {"low": 1.0, "high": 2.0}, "fake-v1": {"low": 5.0, "high": 6.0}}')
    words = [str(tmp_path), "--file", str(file)]
    assert measure_scales.main(words) == 2
    assert "no suite with whole runs" in capsys.readouterr().err
    write(tmp_path, standing, oracle)
    assert measure_scales.main(words) == 0
    assert "fake-v1: 0.0 to 2.0" in capsys.readouterr().out
    assert read_scales(file) == {"sep-x": Scale(1.0, 2.0), "fake-v1": Scale(0.0, 2.0)}
