"""What an interrupted run has played so far, so that the next one goes on from there."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import Played
from av_envs.benchmarks.results.files import canonical, rounded, write_text


class Journal:
    """A file beside the result, one line per episode, gone when the result is written.

    Every line ends with a digest of itself and the digest before, so that a line that was edited,
    lost or moved is noticed; without a key, it does not tell a forged line from a true one.

    identity  JSON-safe description of the run; a journal of another run is replaced
    """

    def __init__(self, path: Path, identity: dict[str, Any]):
        self.path = path
        first = canonical(identity)
        self._digest = _digest("", first)
        self.played: dict[int, Played] = {}
        whole = self._read(first)
        try:
            if not whole:
                write_text(path, f"{first} {self._digest}\n")
            self._file: BinaryIO = path.open("r+b")
            if whole:
                self._file.truncate(whole)  # what a kill has left of a line
            self._file.seek(0, 2)
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from None

    def add(self, played: Played) -> None:
        """Keep an episode; it survives the end of this process when this returns."""
        text = canonical(rounded(asdict(played)))
        self._digest = _digest(self._digest, text)
        try:
            self._file.write(f"{text} {self._digest}\n".encode())
            self._file.flush()
        except OSError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror}") from None
        self.played[played.index] = Played(**json.loads(text))

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def _read(self, identity: str) -> int:
        """Take the episodes of this run; returns how many bytes hold them, 0 if there are none."""
        if not self.path.exists():
            return 0
        lines = self.path.read_bytes().split(b"\n")[:-1]  # a whole line ends in \n
        if not lines or lines[0] != f"{identity} {self._digest}".encode():
            return 0
        for line in lines[1:]:
            text, _, digest = line.decode(errors="replace").rpartition(" ")
            self._digest = _digest(self._digest, text)
            if digest != self._digest:
                raise UserError(
                    f"{self.path} was edited or damaged after it was written; "
                    "delete it to play its episodes again"
                )
            one = Played(**json.loads(text))
            self.played[one.index] = one
        return sum(len(line) + 1 for line in lines)


def _digest(before: str, text: str) -> str:
    return hashlib.sha256(f"{before} {text}".encode()).hexdigest()[:16]
