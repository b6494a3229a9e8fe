"""The loop of a played episode: keys in, pictures and sounds out, wherever these are."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from av_envs.benchmarks.keyboard.session import Session

KEYS = {
    "w": "forward", "a": "left", "d": "right", "s": "stay", " ": "stay",
    "\t": "switch", "m": "map", "t": "target", "q": "quit",
}  # fmt: skip
HELP = (
    "w, a, d or arrows: walk, turn",
    "s or space: stay",
    "tab: next robot",
    "t: the target alone",
    "m: map",
    "q: end",
)
COMMANDS = ("forward", "left", "right", "stay", "switch", "map", "target", "quit")


class Front(Protocol):
    """Where a person sits: a window, a terminal, or a list of keys."""

    def commands(self) -> Iterator[str]:
        """What the person wants, one of COMMANDS at a time; ends where nothing more comes."""
        ...

    def show(self, session: Session, with_map: bool) -> None: ...

    def sound(self, samples: np.ndarray) -> None:
        """Play (2, n) float32 at 16 kHz."""
        ...


def play(session: Session, front: Front) -> bool:
    """Play the episode; False if the player ended it early.

    Where no more commands come, the robots stay until the end.
    """
    with_map = False
    front.show(session, with_map)
    front.sound(session.sounds[-1])
    for command in front.commands():
        if command == "quit":
            return False
        if command == "map":
            with_map = not with_map
            session.map_seen |= with_map
        elif command == "target":
            front.sound(session.wanted_sound())
        elif command == "switch":
            session.switch()
        else:
            session.move(command)
            front.sound(session.sounds[-1])
        front.show(session, with_map)
        if session.done:
            return True
    session.wait()
    return True


class Script:
    """Keys that were given beforehand, such as "wwad"; nobody watches."""

    def __init__(self, keys: str):
        strange = sorted(set(keys.strip()) - set(KEYS))
        if strange:
            raise ValueError(f"key {strange[0]!r} means nothing; there are {', '.join(KEYS)!r}")
        self._keys = keys.strip()

    def commands(self) -> Iterator[str]:
        return (KEYS[key] for key in self._keys)

    def show(self, session: Session, with_map: bool) -> None:
        pass

    def sound(self, samples: np.ndarray) -> None:
        pass
