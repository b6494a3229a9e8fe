"""What the report does not believe, and what it does not let through."""

import csv
from dataclasses import replace

import pytest
from made_results import SUITE, make_result, write

from av_envs.benchmarks import report
from av_envs.benchmarks.board import tables
from av_envs.benchmarks.board.leaderboard import build_rows
from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.results.files import summarise
from av_envs.benchmarks.suites import suite as suites
from av_envs.benchmarks.suites.suite import Metric


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(suites.SUITES, SUITE.name, SUITE)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: r.update(episodes=r["episodes"][:1]), "'complete' says True"),
        (lambda r: r["episodes"].append(r["episodes"][0]), "is there twice"),
        (lambda r: [e["metrics"].update(x=1.0) for e in r["episodes"]], "other metrics"),
        (lambda r: r["env"].update(id="AVFarSep-v0"), "is played in another environment"),
        (lambda r: r["env"].update(hash="x"), "env.hash is not that of its specs"),
        (lambda r: r["suite"].update(version=2), "is version 1"),
        (lambda r: r["timing"].update(env_steps=1), "timing counts 1 steps"),
        (lambda r: r["episodes"][0].update(series=[]), "its series another size"),
    ],
)
def test_an_invented_result_is_not_ranked_but_refused(tmp_path, capsys, change, complaint):
    result = make_result()
    change(result)
    result["summary"] = summarise(result["episodes"])
    write(tmp_path, result)
    assert report.main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "0.json contradicts itself" in error
    assert complaint in error


def test_seeds_of_two_kinds_do_not_share_a_board():
    secret = make_result("B")
    secret["suite"]["secret_seeds"] = "ab" * 32
    assert build_rows([secret])[0].rank == 1
    with pytest.raises(UserError, match="come from different seeds"):
        build_rows([make_result("A"), secret])


def test_numbers_that_are_none_and_older_files_are_refused_by_name(tmp_path, capsys):
    write(tmp_path, make_result())
    path = tmp_path / "0.json"
    text = path.read_text()
    for odd in ("Infinity", "-Infinity", "NaN", "1e999"):
        path.write_text(text.replace('"seed": 0', f'"seed": {odd}'))
        assert report.main([str(tmp_path)]) == 2
        assert f"0.json is not JSON ({odd} is no finite number)" in capsys.readouterr().err
    path.write_text("[" * 100_000)
    assert report.main([str(tmp_path)]) == 2
    assert "0.json is nested too deeply" in capsys.readouterr().err
    path.write_text('{"schema": "av-bench/result/2"}')
    assert report.main([str(tmp_path)]) == 2
    assert "whose suites were withdrawn; play again" in capsys.readouterr().err


def test_texts_of_a_result_stay_texts(tmp_path):
    """No tag or line of an agent's name gets into Markdown, no formula into a spreadsheet."""
    result = make_result(hardware=make_result()["hardware"] | {"cpu": "+2*3"})
    result["agent"]["name"] = "=<script>\n| x [a](b) |"
    result["command"] = "=1+1\n```"
    write(tmp_path, result, make_result("Other", -2))
    report.main(["--audio", "0", str(tmp_path)])
    text = (tmp_path / "leaderboard.md").read_text()
    assert "<script>" not in text
    assert "| =&lt;script&gt; / x [a] (b) / |" in text
    assert text.count("```") == 2
    lines = list(csv.reader((tmp_path / "leaderboard.csv").read_text().splitlines(keepends=True)))
    cells = [cell for line in lines[1:] for cell in line]
    assert any(cell.startswith("'=<script>") for cell in cells)
    unsafe = [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))]
    assert all(float(cell) < 0 for cell in unsafe)
    assert unsafe, "numbers stay numbers"


def test_columns_that_tell_nothing_apart_are_told_below(tmp_path):
    metrics = (SUITE.primary_metric, Metric("bumps", "x", "sum", higher_is_better=False))
    with pytest.MonkeyPatch.context() as patch:
        suite = replace(SUITE, metrics=metrics)
        patch.setitem(suites.SUITES, SUITE.name, suite)
        results = [make_result(name, gain, suite=suite) for name, gain in (("A", 1), ("B", 2))]
        for result in results:
            for episode in result["episodes"]:
                episode["metrics"]["bumps"] = 4.0
        rows = build_rows(results)
        text = tables.markdown(rows)
        assert "| bumps |" not in text
        assert "The same in all rows: bumps 4.00." in text
        assert "The same in all rows: bumps 4.00." in report.html_page(
            rows, {"suites": {}, "maps": {}}
        )
        assert "| bumps |" in tables.markdown(build_rows(results[:1]))  # one row is no comparison
