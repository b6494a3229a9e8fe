"""What an interrupted run has played so far, so that the next one goes on from there."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.episodes import Played
from av_envs.benchmarks.results import canonical, rounded


class Journal:
    """A file beside the result, one line per episode, gone when the result is written.

    identity  JSON-safe description of the run; a journal of another run is thrown away
    """

    def __init__(self, path: Path, identity: dict[str, Any]):
        self.path = path
        self._identity = canonical(identity)
        self.played = self._read()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from None
        lines = [self._identity, *(_line(played) for played in self.played.values())]
        self._write("\n".join(lines))

    def add(self, played: Played) -> None:
        """Keep an episode; it is on disk when this returns."""
        self.played[played.index] = Played(**json.loads(_line(played)))
        self._write(_line(played))

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        self._file.write(text + "\n")
        self._file.flush()

    def _read(self) -> dict[int, Played]:
        """Episodes by index; a last line that was cut off does not count."""
        if not self.path.exists():
            return {}
        first, *lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        if first != self._identity:
            return {}
        try:
            played = [Played(**json.loads(line)) for line in lines[:-1]]  # whole lines end in \n
        except (ValueError, TypeError):
            return {}  # damaged: it costs only time to play again
        return {one.index: one for one in played}


def _line(played: Played) -> str:
    return canonical(rounded(asdict(played)))
