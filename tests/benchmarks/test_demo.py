"""The demo on the stand-in environment: it ranks, films, tidies up and says where things are."""

import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks import demo
from av_envs.benchmarks.suites import suite as suites


@pytest.fixture
def filmed(monkeypatch):
    """The suite of the demo is the stand-in's, and its film an empty file."""
    monkeypatch.setattr(demo, "SUITE", FAKE_SUITE.name)
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)

    def film_episode(suite, agent, index, path):
        path.write_bytes(b"film")
        return path

    monkeypatch.setattr(demo, "film_episode", film_episode)


def test_the_demo_ranks_and_films(tmp_path, capsys, filmed):
    assert demo.main(["--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    table = [line.split() for line in printed.splitlines() if line.strip()[:1] in "123"]
    ranking = [line[1] for line in table if len(line) > 5]
    assert ranking[0] == "Oracle"
    assert sorted(ranking) == ["Oracle", "Random", "StandInPlace"]
    assert str(tmp_path / "leaderboard.html") in printed
    assert (tmp_path / "oracle.mp4").exists()
    assert (tmp_path / "leaderboard.md").exists()


def test_a_second_demo_starts_afresh_and_leaves_other_files_alone(tmp_path, filmed, monkeypatch):
    monkeypatch.setattr(demo, "AGENTS", demo.AGENTS[-1:])
    (tmp_path / "mine.txt").write_text("keep me")
    demo.main(["--out", str(tmp_path)])
    result = next(tmp_path.glob("*Oracle*.json"))
    result.write_text("broken")
    assert demo.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "mine.txt").read_text() == "keep me"
