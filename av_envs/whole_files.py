"""Files that are there whole or not at all, so that a run can go on where another stopped."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file as `replacing` does."""
    with replacing(path) as draft:
        draft.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file; once it is complete, it is moved to `path`. Folders are made.

    What a killed run leaves behind is a hidden draft, which the next run writes over. Raises
    OSError with the file's name, which writing to a full disk by itself does not tell.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error
