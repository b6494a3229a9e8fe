"""Files that are there whole or not at all, so that a run can go on where another stopped."""

import os
from pathlib import Path

DISK_BLOCK = 4096  # bytes; a file takes whole blocks


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; folders are made.

    What an interrupted run leaves behind is a hidden draft, which the next run writes over.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
    os.replace(draft, path)


def has_size(path: Path, n_bytes: int) -> bool:
    """Whether the file is there and that large."""
    try:
        return path.stat().st_size == n_bytes
    except FileNotFoundError:
        return False


def on_disk(n_bytes: int) -> int:
    """What a file of so many bytes takes."""
    return -(-n_bytes // DISK_BLOCK) * DISK_BLOCK
