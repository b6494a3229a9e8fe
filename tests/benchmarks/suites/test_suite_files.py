"""Suites that do not ship: commands are given their JSON file."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from fake_separation import FAKE_SUITE, FakeSeparation

from av_envs.benchmarks import report, run, verify
from av_envs.benchmarks.board import film
from av_envs.benchmarks.suites.suite import SUITES, Suite

AGENT = ["--agent", "av_envs.baselines.separation:Random"]
OWN = replace(FAKE_SUITE, name="own-v1")


@pytest.fixture(autouse=True)
def shipped():
    """Nothing that a test adds stays known."""
    before = dict(SUITES)
    yield
    SUITES.clear()
    SUITES.update(before)


def written(folder: Path, suite: Suite) -> str:
    path = folder / "mine.json"
    path.write_text(json.dumps(asdict(suite)), encoding="utf-8")
    return str(path)


def test_a_file_is_played_reported_and_verified_like_a_suite_that_ships(tmp_path, capsys):
    path, out = written(tmp_path, OWN), tmp_path / "results"
    assert run.main(["--suite", path, *AGENT, "--out", str(out), "--episodes", "2"]) == 0
    (result,) = map(Path, capsys.readouterr().out.split())
    kept = json.loads(result.read_text(encoding="utf-8"))
    assert kept["suite"]["name"] == "own-v1"
    assert f"--suite {path} " in kept["command"]
    SUITES.pop("own-v1")  # another process knows nothing of it
    assert verify.main([str(result)]) == 2
    assert "unknown suite 'own-v1'" in capsys.readouterr().err
    assert verify.main([str(result), "--suite", path]) == 0
    SUITES.pop("own-v1")
    for words, reason in ([], "unknown suite"), (["--suite", path], "2 of 12 episodes"):
        assert report.main([str(out), *words, "--audio", "0"]) == 0
        (row,) = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
        assert row["reason"] == reason


def test_a_file_that_cannot_be_read_is_named(tmp_path, capsys):
    damaged = tmp_path / "damaged.json"
    damaged.write_text('{"name": "own-v1", ', encoding="utf-8")
    for path, complaint in (tmp_path / "absent.json", "No such file"), (damaged, "is not a suite"):
        words = ["--suite", str(path), *AGENT, "--out", str(tmp_path / "results")]
        for main in run.main, film.main:
            assert main(words) == 2
            told = capsys.readouterr().err
            assert str(path) in told
            assert complaint in told
        for command in verify.main, report.main:
            assert command([str(tmp_path), "--suite", str(path)]) == 2
            assert complaint in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "sep-demo-v2", "another suite 'sep-demo-v2'"),
        ("name", "sep-demo-v1", "another suite 'sep-demo-v1'"),
        ("name", "../own", "must be letters"),
        ("name", 7, "must be letters"),
        ("env_id", "NoSuchTask-v0", "no environment 'NoSuchTask-v0'"),
        ("env_id", "no_such_package:Task-v0", "no environment 'no_such_package:Task-v0'"),
        ("seeds", ["0", "1"], "whole numbers"),
    ],
)
def test_a_suite_that_cannot_be_played_says_why(tmp_path, capsys, field, value, complaint):
    given = asdict(OWN)
    where = given["groups"][0] if field == "seeds" else given
    where[field] = value
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert run.main(["--suite", str(path), *AGENT, "--out", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err


def test_a_task_without_pictures_or_sound_is_not_filmed(tmp_path, capsys, monkeypatch):
    words = ["--suite", written(tmp_path, OWN), *AGENT, "--out", str(tmp_path / "film.mp4")]
    monkeypatch.delattr(FakeSeparation, "hear")
    assert film.main(words) == 2
    assert "FakeSep-v0 cannot be filmed: it lacks a method hear()" in capsys.readouterr().err
    monkeypatch.setattr(FakeSeparation, "metadata", {"render_modes": []})
    assert film.main(words) == 2
    assert "it lacks the render mode 'rgb_array'" in capsys.readouterr().err
