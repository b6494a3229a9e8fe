"""Playing in a terminal: the view as coloured half characters, the ears as bars."""

import sys
import termios
import tty
from collections.abc import Iterator
from typing import TextIO

import numpy as np

from av_envs.benchmarks.keyboard.picture import levels_db
from av_envs.benchmarks.keyboard.playing import HELP, KEYS
from av_envs.benchmarks.keyboard.session import Session
from av_envs.benchmarks.keyboard.speaker import Speaker

ESCAPE, INTERRUPT = "\x1b", "\x03"
ARROWS = {"A": "forward", "B": "stay", "C": "right", "D": "left"}  # after ESCAPE and [
COLUMNS = 64
CLEAR, HOME = "\x1b[2J", "\x1b[H"
QUIETEST_DB, BAR = -80.0, 40  # of a bar's left end; its characters


class Terminal:
    """Keys from a terminal, pictures to it."""

    def __init__(self, keys: TextIO = sys.stdin, screen: TextIO = sys.stdout):
        self._keys, self._screen, self._speaker = keys, screen, Speaker()

    def commands(self) -> Iterator[str]:
        before = termios.tcgetattr(self._keys)
        tty.setcbreak(self._keys, termios.TCSANOW)  # keys that were pressed already count
        try:
            yield from read_commands(self._keys)
        finally:
            termios.tcsetattr(self._keys, termios.TCSADRAIN, before)
            self._speaker.close()

    def show(self, session: Session, with_map: bool) -> None:
        whole = with_map or session.is_team
        picture = session.frames[-1] if whole else session.view()
        lines = [
            CLEAR + HOME + coloured(picture, COLUMNS * (2 if whole else 1)),
            f"step {session.step} of {session.steps}: {session.wanted()}"
            + (f"; robot_{session.robot} moves" if session.is_team else ""),
            *(f"{ear} {bar(level)}" for ear, level in zip("LR", levels_db(session), strict=True)),
            "   ".join(HELP),
        ]
        if self._speaker.why_silent:
            lines.append(self._speaker.why_silent)
        print("\n".join(lines), file=self._screen, flush=True)

    def sound(self, samples: np.ndarray) -> None:
        self._speaker.play(samples)


def read_commands(keys: TextIO) -> Iterator[str]:
    """Commands of single keys and arrows; other keys mean nothing."""
    while key := keys.read(1):
        if key == ESCAPE:
            key = keys.read(1)
            command = ARROWS.get(keys.read(1)) if key == "[" else None
        else:
            command = KEYS.get(key)
        if command is not None:
            yield command


def coloured(picture: np.ndarray, columns: int) -> str:
    """A picture (h, w, 3) as lines of half blocks, two pixels to a character."""
    rows = 2 * round(columns * picture.shape[0] / picture.shape[1] / 2)
    down = np.arange(rows) * picture.shape[0] // rows
    across = np.arange(columns) * picture.shape[1] // columns
    small = picture[down][:, across]
    lines = []
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m\u2580"
            for a, b in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def bar(level_db: float) -> str:
    """A bar that grows with the level, and the level."""
    share = min(max(1 - level_db / QUIETEST_DB, 0.0), 1.0)
    full = round(share * BAR)
    return "#" * full + "." * (BAR - full) + f" {level_db:.0f} dB"
