"""Playing by keys: the same episode, the same score, as an agent that does the same."""

import io
import os
import pty
import termios
from dataclasses import replace

import numpy as np
import pytest
from short_suites import MEASURING, SEPARATING

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.keyboard import command, terminal
from av_envs.benchmarks.keyboard.picture import EARS, person_frame
from av_envs.benchmarks.keyboard.playing import KEYS, Script, play
from av_envs.benchmarks.keyboard.session import Session
from av_envs.benchmarks.keyboard.speaker import FULL_SCALE, as_integers
from av_envs.benchmarks.suites.suite import SUITES


@pytest.fixture
def suites(monkeypatch):
    for suite in (SEPARATING, MEASURING):
        monkeypatch.setitem(SUITES, suite.name, suite)


class Spy(Script):
    """A script that keeps what it was shown."""

    def __init__(self, keys):
        super().__init__(keys)
        self.shown, self.sounds = [], []

    def show(self, session, with_map):
        self.shown.append((session.step, session.robot, with_map))

    def sound(self, samples):
        self.sounds.append(samples)


def test_keys_move_and_the_score_is_that_of_the_suite():
    session = Session(SEPARATING, 0)
    spy = Spy("da")
    assert play(session, spy)
    assert session.env.unwrapped.state.moves == "RLS"  # it stays where no key comes
    assert session.done
    assert [step for step, *_ in spy.shown] == [0, 1, 2]
    assert len(session.frames) == len(session.sounds) == 4
    np.testing.assert_array_equal(spy.sounds[1], session.sounds[1])
    gains = [info["si_sdr_gain"] for info in session._infos]
    assert session.score() == pytest.approx(np.mean(gains), abs=1e-5)
    recording = session.recording()
    assert recording.sound.shape == (2, 4 * 16_000)


def test_who_turns_on_the_spot_scores_like_the_agent_that_does(suites):
    session = Session(SEPARATING, 0)
    play(session, Script("ddd"))
    assert session.score() == pytest.approx(command.score_of("RotateInPlace", SEPARATING, 0))


def test_tab_switches_the_robot_and_the_others_stay():
    session = Session(MEASURING, 0)
    assert session.robots == 2
    spy = Spy("a\td")
    play(session, spy)
    assert [robot for _, robot, _ in spy.shown] == [0, 0, 1, 1]
    walks = list(session.env.unwrapped.trajectories.values())
    headings = [[heading for _, heading in walk] for walk in walks]
    turned = [(np.diff(row) % 4).tolist() for row in headings]
    assert turned == [[1, 0, 0], [0, 3, 0]]


def test_looking_at_the_map_is_remembered():
    session = Session(SEPARATING, 0)
    play(session, Script("m"))
    assert session.map_seen
    assert "you (with the map)" in command.table(session, [])


def test_the_target_can_be_heard_alone():
    session = Session(SEPARATING, 0)
    spy = Spy("t")
    play(session, spy)
    left, right = spy.sounds[1]
    np.testing.assert_array_equal(left, right)
    assert left.shape == (16_000,)


def test_without_the_map_the_picture_does_not_tell_where_things_are():
    session = Session(SEPARATING, 0)
    hidden, shown = person_frame(session, False), person_frame(session, True)
    np.testing.assert_array_equal(shown, session.frames[0])
    assert hidden.shape == shown.shape
    view = hidden[52 : 52 + 512, 16 : 16 + 512]
    np.testing.assert_array_equal(view[2::4, 2::4], session.view())


def test_the_louder_ear_is_brighter():
    session = Session(SEPARATING, 0)
    heard = session.sounds[-1]
    session.sounds[-1] = np.stack([heard[0], heard[0] / 10])
    frame = person_frame(session, False).astype(int)
    left, right = (
        frame[top : top + height, x : x + width].sum() for _, (x, top, width, height) in EARS
    )
    assert left > 1.3 * right


def test_who_ends_early_has_no_score(suites, capsys, tmp_path):
    words = [SEPARATING.name, "--keys", "dq", "--out", str(tmp_path / "film.mp4"), "--against"]
    assert command.main(words) == 0
    told = capsys.readouterr().out
    assert "ended after 1 of 3 steps: no score" in told
    assert (tmp_path / "film.mp4").exists()


def test_without_a_screen_a_film_is_recorded_and_rivals_play(suites, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("dd\n"))
    assert command.main([SEPARATING.name, "--against", "StandInPlace"]) == 0
    first, title, *rows = capsys.readouterr().out.splitlines()
    assert first == "film: play.mp4"
    assert (tmp_path / "play.mp4").stat().st_size > 10_000
    assert title == f"si_sdr_gain in episode 0 of {SEPARATING.name}:"
    assert sorted(row.split()[0] for row in rows) == ["StandInPlace", "you"]
    scores = [float(row.split()[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--keys", "wxw"], "key 'x' means nothing"),
        (["--episode", "9", "--keys", "w"], "has the episodes 0 to 1, not 9"),
        (["--keys", "w", "--against", "Nobody"], "unknown agent 'Nobody'"),
        (["--terminal"], "standard input is no terminal"),
    ],
)
def test_mistakes_are_told_in_a_sentence(suites, capsys, monkeypatch, words, message):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert command.main([SEPARATING.name, *words]) == 2
    assert message in capsys.readouterr().err


def test_a_rival_that_cannot_play_does_not_cost_the_score(monkeypatch):
    def fail(name, suite, index):
        raise UserError("it is ill")

    session = Session(SEPARATING, 0)
    play(session, Script("d"))
    monkeypatch.setattr(command, "score_of", fail)
    told = command.table(session, ["DoA"]).splitlines()
    assert told[1].startswith("you ")
    assert told[2] == "DoA could not play: it is ill"


def test_suites_that_ask_for_more_than_moves_are_refused():
    suite = replace(SEPARATING, env_kwargs={**SEPARATING.env_kwargs, "estimator": "agent"})
    with pytest.raises(UserError, match="cannot be played by keys"):
        Session(suite, 0)


def test_rivals_without_torch_are_rules(monkeypatch):
    assert command.rivals_of(SEPARATING) == ["Random", "DoA", "Active"]
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.rivals_of(MEASURING) == ["Random", "SpreadOut"]


def test_arrows_and_letters_are_the_same_keys():
    keys = io.StringIO("w\x1b[Ax\x1b[D\x1b[C\x1b[B\tq")
    read = list(terminal.read_commands(keys))
    assert read == ["forward", "forward", "left", "right", "stay", "switch", "quit"]
    assert set(read) <= set(KEYS.values())


def test_a_picture_of_half_blocks_has_the_colours():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32] = (200, 10, 30)
    lines = terminal.coloured(picture, 16).split("\n")
    assert len(lines) == 8
    assert lines[0].count("\u2580") == 16
    assert "38;2;200;10;30" in lines[0]
    assert "38;2;0;0;0" in lines[7]
    assert all(line.endswith("\x1b[0m") for line in lines)


def test_bars_grow_with_the_level():
    full = [terminal.bar(level).count("#") for level in (-100.0, -80.0, -40.0, 0.0, 10.0)]
    assert full == [0, 0, terminal.BAR // 2, terminal.BAR, terminal.BAR]


def test_a_terminal_shows_what_is_seen_and_heard():
    screen = io.StringIO()
    session = Session(SEPARATING, 0)
    terminal.Terminal(io.StringIO(), screen).show(session, False)
    told = screen.getvalue()
    assert "step 0 of 3: walk to where " in told
    assert told.count("\u2580") == terminal.COLUMNS**2 // 2
    assert "\nL " in told
    assert "\nR " in told


def test_keys_come_one_by_one_and_the_terminal_is_left_as_it_was():
    """Without the return key, which a terminal waits for otherwise."""
    master, slave = pty.openpty()
    try:
        with open(slave, closefd=False) as keys:
            before = termios.tcgetattr(slave)
            commands = terminal.Terminal(keys, io.StringIO()).commands()
            os.write(master, b"d")
            assert next(commands) == "right"
            assert not termios.tcgetattr(slave)[3] & termios.ICANON
            os.write(master, b"q")
            assert next(commands) == "quit"
            commands.close()
            assert termios.tcgetattr(slave) == before
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("display", "installed", "shown"), [(":0", True, True), (":0", False, False), ("", True, False)]
)
def test_a_window_needs_a_screen_and_pygame(monkeypatch, display, installed, shown):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(command, "find_spec", lambda name: object() if installed else None)
    assert command.has_screen() is shown


def test_what_people_hear_is_louder_but_limited():
    samples = np.array([[0.01, 0.5], [-0.01, -0.5]], np.float32)
    loud = as_integers(samples)
    assert loud.tolist()[1] == [FULL_SCALE, -FULL_SCALE]
    assert loud[0, 0] == pytest.approx(0.01 * 10 ** (18 / 20) * FULL_SCALE, abs=1)
