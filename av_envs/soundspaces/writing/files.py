"""File sizes."""

from pathlib import Path

DISK_BLOCK = 4096  # bytes; a file takes whole blocks


def has_size(path: Path, n_bytes: int) -> bool:
    """Whether the file is there and that large."""
    try:
        return path.stat().st_size == n_bytes
    except FileNotFoundError:
        return False


def on_disk(n_bytes: int) -> int:
    """Disk usage in bytes of a file of that size."""
    return -(-n_bytes // DISK_BLOCK) * DISK_BLOCK
