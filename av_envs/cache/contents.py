"""What the cache directory holds, and removing it: all of it can be computed again."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".rows", ".draft")  # finished files, and those that are being made


class Kept(NamedTuple):
    """Files of one kind, such as "responses"; bytes as they lie on the disk."""

    kind: str
    files: int
    n_bytes: int


def kept_in(directory: Path) -> list[Kept]:
    """What the cache at `directory` holds, by kind, the largest first; empty if there is none."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for path in _files(directory):
        sizes[_kind(directory, path)].append(_bytes_on_disk(path))
    kept = [Kept(kind, len(each), sum(each)) for kind, each in sizes.items()]
    return sorted(kept, key=lambda one: (-one.n_bytes, one.kind))


def remove_kept(directory: Path, kinds: tuple[str, ...]) -> Kept:
    """Remove all files of these kinds and nothing else; what was removed.

    A process that has such a file open keeps reading it, and makes a new one when it needs it.
    """
    files, n_bytes = 0, 0
    for path in _files(directory):
        if _kind(directory, path) in kinds:
            size = _bytes_on_disk(path)
            path.unlink(missing_ok=True)
            files, n_bytes = files + 1, n_bytes + size
    return Kept(", ".join(kinds), files, n_bytes)


def _files(directory: Path) -> list[Path]:
    return sorted(path for suffix in SUFFIXES for path in directory.glob(f"*/**/*{suffix}"))


def _kind(directory: Path, path: Path) -> str:
    return path.relative_to(directory).parts[0]


def _bytes_on_disk(path: Path) -> int:
    """0 if another process has removed the file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0
    return stat.st_blocks * 512 if hasattr(stat, "st_blocks") else stat.st_size
