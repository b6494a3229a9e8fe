"""Bars are for people who watch: a log file gets a line a minute, whole lines only."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tqdm import tqdm

from av_envs.progress import ProgressLines, progress_bar

ROOT = Path(__file__).resolve().parent.parent


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def walk(clock, steps: int, seconds_each: float, **options) -> ProgressLines:
    with ProgressLines(total=steps, desc="work", seconds_now=clock, **options) as bar:
        for _ in range(steps):
            clock.seconds += seconds_each
            bar.update()
    return bar


def test_a_line_a_minute_and_the_last_one(clock, capsys):
    walk(clock, 15, 10.0, unit="step")
    told = capsys.readouterr().err.splitlines()
    assert [re.search(r"(\d+)/15", line)[1] for line in told] == ["6", "12", "15"]
    assert "[01:00<01:30, 10.00s/step" in told[0]
    assert not any("\r" in line for line in told)


def test_what_takes_less_than_a_minute_is_silent(clock, capsys):
    walk(clock, 5, 11.0)
    assert capsys.readouterr().err == ""


def test_closing_twice_says_it_once(clock, capsys):
    bar = walk(clock, 2, 100.0)
    bar.close()
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_iterating_counts(clock, capsys):
    seen = []
    bar = ProgressLines(["a", "b", "c"], desc="letters", seconds_now=clock)
    for letter in bar:
        clock.seconds += 61
        seen.append(letter)
    assert (seen, bar.n, bar.total) == (["a", "b", "c"], 3, 3)
    assert "letters: 33% 1/3" in re.sub(" +", " ", capsys.readouterr().err)


def test_without_an_iterable_there_is_nothing_to_iterate():
    with pytest.raises(TypeError, match="without an iterable"):
        next(iter(ProgressLines(total=3)))


def test_what_a_run_did_before_counts_but_not_its_speed(clock, capsys):
    with ProgressLines(total=100, initial=90, seconds_now=clock) as bar:
        clock.seconds += 100
        bar.update()
    assert "91/100" in (told := capsys.readouterr().err)
    assert "100.00s/it" in told


def test_other_words_are_lines_of_their_own(clock, capsys):
    with ProgressLines(total=1, seconds_now=clock) as bar:
        bar.set_postfix(reward="0.3", refresh=False)
        bar.write("validated")
        clock.seconds += 60
        bar.update()
    out, err = capsys.readouterr()
    assert out == "validated\n"
    assert "reward=0.3" in err


def test_on_a_terminal_it_is_a_bar(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar(range(2), "work", file=terminal) as bar:
        assert isinstance(bar, tqdm)
        assert list(bar) == [0, 1]
    assert "\r" in terminal.getvalue()


def test_what_is_not_to_be_shown_is_not(capsys):
    with progress_bar(range(2), shown=False) as bar:
        assert list(bar) == [0, 1]
    assert capsys.readouterr().err == ""


def test_a_pipe_gets_no_bar():
    code = "from av_envs.progress import progress_bar\nfor _ in progress_bar(range(9), 'x'): pass"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("folder", ["av_envs", "agents", "baselines", "benchmarks"])
def test_every_bar_comes_from_here(folder):
    for path in (ROOT / folder).rglob("*.py"):
        if path != ROOT / "av_envs" / "progress.py":
            assert "tqdm" not in path.read_text(encoding="utf-8"), path
