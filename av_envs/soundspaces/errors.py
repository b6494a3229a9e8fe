"""Errors of SoundSpaces trees; each names the file."""

from pathlib import Path


class SoundSpacesError(ValueError):
    """A file of a SoundSpaces tree that cannot be used.

    path  the file or folder
    """

    def __init__(self, path: Path | str, reason: str):
        super().__init__(path, reason)  # as they are, so that processes can hand the error on
        self.path = Path(path)

    def __str__(self) -> str:
        return f"{self.path}: {self.args[1]}"


class MissingFileError(SoundSpacesError):
    """A file or folder that does not exist."""


class MissingPairError(MissingFileError):
    """A pair of nodes without a response: not every pair was ever rendered."""


class EmptyFileError(SoundSpacesError):
    """A response without a sample; the published data have some."""


class UnreadableFileError(SoundSpacesError):
    """A file that is damaged or holds something else than its name says."""


class RefusedPickleError(UnreadableFileError):
    """A pickle that asks for more than arrays and plain containers."""
