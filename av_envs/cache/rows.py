"""Disk cache of computed arrays: files of fixed-size rows, shared by all processes.

Responses, views and clips are slow to compute and deterministic, so they are stored in
one cache directory. A file name contains everything that the content depends on
(versions, fingerprints); files are created atomically and have a checksum per row: a
damaged file is detected and rebuilt. No lock is needed, since processes that fill the
same row at the same time write the same bytes.

If the disk is full or read-only, existing rows are read, others are computed each time,
and a warning names the folder once.
"""

import errno
import os
import shutil
import tempfile
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import count
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Lock

import numpy as np
import platformdirs
from numpy.typing import DTypeLike

from av_envs.cache.row_format import DamagedError, StoredRows

CACHE_VARIABLE = "AV_ENVS_CACHE"  # a directory of the user's choice
LIMIT_VARIABLE = "AV_ENVS_CACHE_GB"
DEFAULT_LIMIT_GB = 8.0
RECENT_BYTES = 64_000_000  # of rows that a process keeps in memory; larger ones it never keeps
LARGE_ROW = 4_000_000  # bytes; such a row is not kept here
DRAFT_SECONDS = 3600.0  # after which what another process left unfinished is removed
OPENINGS = 50  # tries to open a file that other processes keep removing
FULL = {errno.ENOSPC, errno.EDQUOT}
WHOLE = slice(None)

_numbers = count()  # of objects that rows in memory belong to


@cache
def cache_directory() -> Path:
    """The directory of all caches; a temporary one, with a warning, if it cannot be written."""
    try:
        directory = chosen_directory()
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except (OSError, RuntimeError) as error:
        fallback = _scratch_directory()
        warnings.warn(
            f"cannot write the cache directory {_chosen()} ({_reason(error)}); "
            f"using {fallback} for this run. Set {CACHE_VARIABLE} to a writable directory.",
            stacklevel=2,
        )
        return fallback


def chosen_directory() -> Path:
    """The configured cache directory, writable or not; RuntimeError without a home."""
    return Path(_chosen()).expanduser()


def _chosen() -> str:
    return os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("av-envs")


@cache
def _scratch_directory() -> Path:
    """Temporary directory of this process and its forks, removed when this process ends."""
    directory = Path(tempfile.mkdtemp(prefix="av-envs-"))
    Finalize(None, shutil.rmtree, (directory, True), exitpriority=0)  # in workers, too
    return directory


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def cache_limit_bytes() -> int:
    """Size of the cache directory above which the least recently used files are removed."""
    text = os.environ.get(LIMIT_VARIABLE, str(DEFAULT_LIMIT_GB))
    try:
        limit = float(text)
    except ValueError:
        raise ValueError(f"{LIMIT_VARIABLE} must be a number of gigabytes, got {text!r}") from None
    if not limit > 0:
        raise ValueError(f"{LIMIT_VARIABLE} must be positive, got {text!r}")
    return int(limit * 1e9)


class RowFile:
    """`n_rows` arrays of one shape in one file, filled on demand.

    name       "<room>/<content key>"; everything the content depends on must be in it
    row_dtype  numpy dtype of a row's elements (structured ones included)
    row_shape  shape of one row

    A row that was never `put` reads as None. Rows are read on demand. A file that is readable
    but not writable is read; new rows then go to a temporary directory. Where no file can be
    created, the rows used last are kept in memory, and the others are computed again.

    A file that is removed, replaced or truncated while it is in use is detected and rebuilt.
    Not detected: a row that this process has already checked and that is overwritten later.
    """

    def __init__(self, name: str, row_dtype: DTypeLike, row_shape: tuple[int, ...], n_rows: int):
        self.name = name
        self.dtype = np.dtype(row_dtype)
        self.shape = tuple(row_shape)
        self.n_rows = n_rows
        self.row_bytes = self.dtype.itemsize * int(np.prod(self.shape))
        self._number = next(_numbers)
        self._own: StoredRows | None = None  # the file that rows are added to
        self._shared: StoredRows | None = None  # one that can only be read
        self._wanted = self._place(Path())  # the last that was tried for a file to add rows to
        self._open()

    def __reduce__(self) -> tuple:
        """A copy or pickle opens the same file and holds no rows itself."""
        return type(self), (self.name, self.dtype, self.shape, self.n_rows)

    @property
    def path(self) -> Path:
        """Path of the open file or, if there is none, of the one that could not be created."""
        stored = self._own or self._shared
        return stored.path if stored else self._wanted

    def get(self, index: int) -> np.ndarray | None:
        """Row `index` as a read-only array, or None if it is not filled."""
        row = _recent.get((self._number, index))
        if row is None:
            row = self._stored(index, WHOLE)
            if row is not None:
                _recent.keep((self._number, index), row)
        return row

    def read(self, index: int, part: slice = WHOLE) -> np.ndarray | None:
        """Row `index` as an array of the caller's own, or None.

        For large rows that are used once each: they are not kept in memory.

        part  stretch along the row's first axis, all by default
        """
        row = self._stored(index, part)
        if row is None:
            row = _recent.get((self._number, index))  # where it could not be stored
            row = None if row is None else row[part].copy()
        return row

    def put(self, index: int, row: np.ndarray) -> np.ndarray:
        """Fill row `index` and return it as `get` would."""
        row = np.array(row, self.dtype, order="C")
        if row.shape != self.shape:
            raise ValueError(f"{self.name}: a row has shape {self.shape}, got {row.shape}")
        if self._own is None and self._shared is not None:
            self._open_own()  # not before something is to be added
        own = self._own
        if own is not None:
            self._trying(own, lambda: own.write(index, row.tobytes()), "keep")
        _recent.keep((self._number, index), row)
        return row

    def filled(self) -> np.ndarray:
        """(n_rows,) bool, which rows are stored in files."""
        filled = np.zeros(self.n_rows, bool)
        for stored in (self._own, self._shared):
            found = stored and self._trying(stored, stored.filled, "read")
            filled |= False if found is None else found
        return filled

    def _stored(self, index: int, part: slice) -> np.ndarray | None:
        """A row, or a part of it, from one of the files."""
        for stored in (self._own, self._shared):
            if stored is not None:
                read = partial(self._read, stored, index, part)
                if (row := self._trying(stored, read, "read")) is not None:
                    return row
        return None

    def _read(self, stored: StoredRows, index: int, part: slice) -> np.ndarray | None:
        if not stored.has(index):
            return None
        if part is not WHOLE and not stored.is_checked(index):
            whole = self._read(stored, index, WHOLE)  # once, for the checksum
            return None if whole is None else whole[part].copy()
        start, stop, _ = part.indices(self.shape[0])
        row = np.empty((stop - start, *self.shape[1:]), self.dtype)
        data = row.reshape(-1).view(np.uint8).data
        stored.read(index, start * (self.row_bytes // self.shape[0]), data)
        return row

    def _trying(self, stored: StoredRows, act: Callable, verb: str) -> np.ndarray | None:
        """Result of `act`; if the file fails, None after reopening or rebuilding it."""
        try:
            return act()
        except FileNotFoundError:  # another process needed the room
            self._open()
        except DamagedError as fault:
            self._own = self._shared = None
            with suppress(OSError):
                _discard(stored, fault)
            self._open_own()
        except OSError as error:
            _warn_once(verb, stored.path.parents[self.name.count("/")], error)
        return None

    def _place(self, directory: Path) -> Path:
        return directory / f"{self.name}.rows"

    def _open(self) -> None:
        """Open the existing file, even if read-only, or create one."""
        self._own = self._shared = None
        with suppress(RuntimeError):  # no home, hence no directory of choice
            path = self._place(chosen_directory())
            self._own = self._existing(path, may_write=True)
            if self._own is None:
                self._shared = self._existing(path, may_write=False)
        if self._own is None and self._shared is None:
            self._open_own()

    def _existing(self, path: Path, may_write: bool) -> StoredRows | None:
        """The file at `path`, if it is sound and may be opened that way."""
        stored = self._rows_at(path, may_write)
        with suppress(OSError):  # not there, or not ours
            try:
                stored.check()
            except DamagedError as fault:
                _discard(stored, fault)
                return None
            _mark_used(path)
            return stored
        return None

    def _open_own(self) -> None:
        """Open or create a writable file; on a full disk rows stay in memory only."""
        for directory in (cache_directory, _scratch_directory):
            try:
                self._wanted = self._place(directory())
                self._own = self._made(self._wanted)
                return
            except OSError as error:
                if error.errno in FULL or directory is _scratch_directory:
                    _warn_once("keep", _chosen(), error)
                    return
                _warn_once("write", _chosen(), error, "; new ones are kept for this run only")

    def _made(self, path: Path) -> StoredRows:
        stored = self._rows_at(path)
        for _ in range(OPENINGS):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    make_room(stored.size, keep=path)
                    stored.create()
                stored.check()
            except FileNotFoundError:  # another process needed the room
                continue
            except DamagedError as fault:
                _discard(stored, fault)
                continue
            _mark_used(path)
            return stored
        raise OSError(errno.EBUSY, "other processes keep removing them")

    def _rows_at(self, path: Path, may_write: bool = True) -> StoredRows:
        return StoredRows(path, self.name, self.row_bytes, self.n_rows, may_write)


class _RecentRows:
    """Least-recently-used cache in memory: read-only rows of at most RECENT_BYTES in all."""

    def __init__(self):
        self._rows: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        self._n_bytes = 0
        self.lock = Lock()

    def get(self, key: tuple[int, int]) -> np.ndarray | None:
        with self.lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def keep(self, key: tuple[int, int], row: np.ndarray) -> None:
        row.flags.writeable = False
        if row.nbytes > LARGE_ROW:
            return
        with self.lock:
            former = self._rows.pop(key, None)
            self._n_bytes += row.nbytes - (0 if former is None else former.nbytes)
            self._rows[key] = row
            while self._n_bytes > RECENT_BYTES:
                self._n_bytes -= self._rows.popitem(last=False)[1].nbytes

    def unlock(self) -> None:
        """New lock for a forked process, in which the thread that held it does not exist."""
        self.lock = Lock()


_recent = _RecentRows()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_recent.unlock)


def _discard(stored: StoredRows, fault: DamagedError) -> None:
    """Warn and remove the file."""
    warnings.warn(f"rebuilding the damaged cache file {stored.path}: {fault}", stacklevel=5)
    stored.path.unlink(missing_ok=True)


def _mark_used(path: Path) -> None:
    """Update the time by which `make_room` removes files."""
    with suppress(OSError):  # another user's
        os.utime(path)


def _warn_once(verb: str, folder: Path | str, error: OSError, instead: str = "") -> None:
    _warn(
        f"cannot {verb} cache files in {folder} ({_reason(error)}){instead}. Nothing is lost but "
        f"time; {CACHE_VARIABLE} names another directory"
    )


@cache
def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=7)


def make_room(n_bytes: int, keep: Path | None = None) -> None:
    """Remove the least recently used cache files until `n_bytes` more fit under the limit.

    Old unfinished files of other processes are removed as well. A process that has a
    removed file open keeps reading it until it closes it, and then makes a new one.
    """
    directory = cache_directory()
    for path in directory.rglob("*.draft"):
        age = _age(path)
        if age is not None and time.time() - age[0] > DRAFT_SECONDS:
            _remove(path)
    files = [path for path in directory.rglob("*.rows") if path != keep]
    ages = sorted(age for path in files if (age := _age(path)) is not None)
    used = sum(size for _, size, _ in ages)
    for _, size, path in ages:
        if used + n_bytes <= cache_limit_bytes():
            return
        if _remove(path):
            used -= size


def _remove(path: Path) -> bool:
    """Whether the file is removed; False if it belongs to another user."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        return True
    return False


def _age(path: Path) -> tuple[float, int, Path] | None:
    """(time of last use, bytes on disk, path); None if another process removed it."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime, _disk_bytes(stat), path


def _disk_bytes(stat: os.stat_result) -> int:
    return stat.st_blocks * 512 if hasattr(stat, "st_blocks") else stat.st_size
