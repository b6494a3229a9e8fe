"""Directory of numba's compiled kernels where its default places cannot be written.

Numba keeps them beside the source or in the user's cache directory, and refuses to compile
where it can write to neither: a package that another user has installed, and no home. Then
they go to a directory that only this user can write to, since they are executed: below
AV_ENVS_CACHE if no other user can write there, or else below the temporary directory.
"""

import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"  # of numba; what the user says is kept as long as it works
FOLDER = "kernels"
PACKAGE = Path(__file__).parents[1]


def place_kernels() -> None:
    """Set NUMBA_CACHE_DIR, with a warning, if none of numba's default places is writable."""
    if any(map(_can_be_written, _places_of_numba())):
        return
    directory = _private_directory()
    os.environ[VARIABLE] = str(directory)  # for processes started from here, too
    if "numba" in sys.modules:  # it has read the environment already
        sys.modules["numba"].config.CACHE_DIR = str(directory)
    warnings.warn(
        f"numba can write neither to {PACKAGE} nor to a cache directory of the "
        f"user; compiled kernels are kept in {directory}. Set {VARIABLE} to choose another one.",
        stacklevel=3,
    )


def _places_of_numba() -> Iterator[Path]:
    """Numba's default cache directories, in its order."""
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE])
    yield PACKAGE / "__pycache__"
    import platformdirs  # most have their kernels beside the source

    directory = Path(platformdirs.user_cache_dir("numba", appauthor=False))
    if directory.is_absolute():  # else there is no home, and it would be a folder called ~
        yield directory


def _can_be_written(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _private_directory() -> Path:
    """A directory that this user alone can write to; the same one in the next run, if possible."""
    for directory in _candidates():
        with suppress(OSError):
            directory.mkdir(mode=0o700, exist_ok=True)
            if _is_private(directory) and _can_be_written(directory):
                return directory
    return Path(tempfile.mkdtemp(prefix=f"av-envs-{FOLDER}-"))


def _candidates() -> Iterator[Path]:
    chosen = os.environ.get("AV_ENVS_CACHE")
    if chosen and _is_private(Path(chosen)):
        yield Path(chosen) / FOLDER
    with suppress(OSError):
        user = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
        yield Path(tempfile.gettempdir()) / f"av-envs-{FOLDER}{user}"


def _is_private(directory: Path) -> bool:
    """Whether it is a directory, not a link to one, that no other user can write to."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(found.st_mode)
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_ours and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
