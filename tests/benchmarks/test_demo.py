"""The demo on the stand-in environment: it ranks, films, tidies up and says where things are."""

import numpy as np
import pytest
from fake_separation import FAKE_SUITE

from benchmarks import demo, suites
from benchmarks.agents import AgentSpec


@pytest.fixture
def filmed(monkeypatch):
    """What was handed to the film writer."""
    monkeypatch.setattr(demo, "SUITE", FAKE_SUITE.name)
    monkeypatch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)
    calls = []

    def write_film(frames, audio, path, fps):
        calls.append((frames, audio, fps))
        path.write_bytes(b"film")

    monkeypatch.setattr(demo, "write_film", write_film)
    return calls


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


def test_a_second_demo_starts_afresh_and_leaves_other_files_alone(tmp_path, filmed):
    (tmp_path / "mine.txt").write_text("keep me")
    demo.main(["--out", str(tmp_path)])
    result = next(tmp_path.glob("*Oracle*.json"))
    result.write_text("broken")
    assert demo.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "mine.txt").read_text() == "keep me"


def test_the_film_shows_and_sounds_every_second(tmp_path, filmed):
    agent = AgentSpec("baselines.separation:Oracle")
    demo.film_episode(FAKE_SUITE, agent, 3, tmp_path / "film.mp4")
    frames, audio, fps = filmed[0]
    assert [frame[0, 0, 0] for frame in frames] == list(range(0, 210, 10))
    assert audio.shape == (2, 21 * 16000)
    np.testing.assert_allclose(audio[0, 8000::16000], np.arange(21) / 100, atol=1e-6)
    assert fps == 1
