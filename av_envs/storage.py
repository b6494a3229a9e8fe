"""Where results are kept: fixed-size rows in memory-mapped files, shared by all processes.

Responses, views and clips are slow to make and the same for everybody, so they
live in one cache directory. A file is named after its content (the caller puts
versions and fingerprints into the name), is created atomically, and carries a
checksum per row: a damaged file is noticed and made anew. Every value in a cache
can be computed again, so no lock is needed: two processes that fill the same row
at the same time write the same bytes.
"""

import mmap
import os
import tempfile
import warnings
import weakref
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs

CACHE_VARIABLE = "AV_ENVS_CACHE"  # a directory of the user's choice
LIMIT_VARIABLE = "AV_ENVS_CACHE_GB"
DEFAULT_LIMIT_GB = 8.0
MAGIC = b"av-envs rows 1\n"
HEADER_BYTES = 4096  # one page: magic, row bytes, row count, name, checksum
FILLED = 1
WHOLE = slice(None)


@cache
def cache_directory() -> Path:
    """The directory of all caches; a temporary one, with a warning, if it cannot be written."""
    chosen = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("av-envs")
    directory = Path(chosen).expanduser()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        fallback = Path(tempfile.mkdtemp(prefix="av-envs-"))
        warnings.warn(
            f"cannot write the cache directory {directory} ({error.strerror}); "
            f"using {fallback} for this run. Set {CACHE_VARIABLE} to a writable directory.",
            stacklevel=2,
        )
        return fallback


def cache_limit_bytes() -> int:
    """How much the cache directory may hold before the least recently used files go."""
    text = os.environ.get(LIMIT_VARIABLE, str(DEFAULT_LIMIT_GB))
    try:
        limit = float(text)
    except ValueError:
        raise ValueError(f"{LIMIT_VARIABLE} must be a number of gigabytes, got {text!r}") from None
    if not limit > 0:
        raise ValueError(f"{LIMIT_VARIABLE} must be positive, got {text!r}")
    return int(limit * 1e9)


class RowFile:
    """`n_rows` arrays of one shape in one memory-mapped file, filled on demand.

    name       "<room>/<content key>"; everything the content depends on must be in it
    row_dtype  numpy dtype of a row's elements (structured ones included)
    row_shape  shape of one row

    A row that was never `put` reads as None. Rows come back as read-only views of
    the file, so a bank of a thousand houses costs no memory until it is touched.
    """

    def __init__(self, name: str, row_dtype: np.dtype, row_shape: tuple[int, ...], n_rows: int):
        self.name = name
        self.dtype = np.dtype(row_dtype)
        self.shape = tuple(row_shape)
        self.n_rows = n_rows
        self.row_bytes = self.dtype.itemsize * int(np.prod(self.shape))
        self._checked = np.zeros(n_rows, bool)
        self._open()

    def __reduce__(self) -> tuple:
        """A copy, in whatever process, opens the same file and holds no rows itself."""
        return type(self), (self.name, self.dtype, self.shape, self.n_rows)

    @property
    def path(self) -> Path:
        return cache_directory() / f"{self.name}.rows"

    def get(self, index: int) -> np.ndarray | None:
        """Row `index` as a read-only array, or None if nobody has filled it yet."""
        if self._flags[index] != FILLED:
            return None
        if not self._checked[index] and not self._is_sound(index, self._row_bytes(index)):
            return None
        return self._rows[index]

    def read(self, index: int, part: slice = WHOLE) -> np.ndarray | None:
        """Row `index` as an array of the caller's own, or None; does not map it into memory.

        For large rows that are used once each: mapped pages count as memory of the process.

        part  stretch along the row's first axis, all by default
        """
        if self._flags[index] != FILLED:
            return None
        if part is not WHOLE and not self._checked[index]:
            whole = self.read(index)  # once per process, for the checksum
            return None if whole is None else whole[part].copy()
        start, stop, _ = part.indices(self.shape[0])
        row = np.empty((stop - start, *self.shape[1:]), self.dtype)
        skipped = start * (self.row_bytes // self.shape[0])
        data = row.view(np.uint8).data
        os.preadv(self._file, [data], self._rows_at + index * self.row_bytes + skipped)
        if not self._checked[index] and not self._is_sound(index, data):
            return None
        return row

    def _is_sound(self, index: int, data: memoryview) -> bool:
        """Compare a row with its checksum, once per process."""
        if zlib.crc32(data) != self._checksums[index]:
            self._replace_damaged(f"row {index} does not match its checksum")
            return False
        self._checked[index] = True
        return True

    def put(self, index: int, row: np.ndarray) -> np.ndarray:
        """Fill row `index` and return it as `get` would."""
        row = np.ascontiguousarray(row, self.dtype)
        if row.shape != self.shape:
            raise ValueError(f"{self.name}: a row has shape {self.shape}, got {row.shape}")
        try:
            self._write(index, row.tobytes())
        except OSError as error:
            self._warn(f"cannot keep a row of the cache file {self.path}: {error.strerror}")
            row.flags.writeable = False
            return row
        self._checked[index] = True
        return self._rows[index]

    def _write(self, index: int, data: bytes) -> None:
        _write_at(self._file, data, self._rows_at + index * self.row_bytes)
        checksum = zlib.crc32(data).to_bytes(4, "little")
        _write_at(self._file, checksum, self._checksums_at + 4 * index)
        _write_at(self._file, bytes([FILLED]), HEADER_BYTES + index)  # last: the row is complete

    def filled(self) -> np.ndarray:
        """(n_rows,) bool, which rows exist."""
        return self._flags == FILLED

    def _open(self) -> None:
        self._checksums_at = HEADER_BYTES + -(-self.n_rows // 64) * 64
        self._rows_at = -(-(self._checksums_at + 4 * self.n_rows) // 4096) * 4096
        self._size = self._rows_at + self.row_bytes * self.n_rows
        if not self.path.exists():
            self._create()
        elif fault := self._fault():
            self._warn(f"rebuilding the damaged cache file {self.path}: {fault}")
            self.path.unlink(missing_ok=True)
            self._create()
        self._map()

    def _fault(self) -> str | None:
        if self.path.stat().st_size != self._size:
            return f"it has {self.path.stat().st_size} bytes instead of {self._size}"
        with self.path.open("rb") as file:
            return None if file.read(HEADER_BYTES) == self._header() else "its header is not ours"

    def _header(self) -> bytes:
        text = f"{self.row_bytes} {self.n_rows} {self.name}\n".encode()
        body = MAGIC + text + str(zlib.crc32(text)).encode() + b"\n"
        return body.ljust(HEADER_BYTES, b"\0")

    def _create(self) -> None:
        """Make an empty file beside its place and move it there, so nobody sees half a file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        make_room(self._size, keep=self.path)
        handle, draft = tempfile.mkstemp(dir=self.path.parent, suffix=".draft")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._header())
                file.truncate(self._size)
            if not self.path.exists():  # else another process was first, which is as good
                os.replace(draft, self.path)
        finally:
            Path(draft).unlink(missing_ok=True)

    def _map(self) -> None:
        self._file = os.open(self.path, os.O_RDWR)
        self._close = weakref.finalize(self, os.close, self._file)
        os.utime(self.path)  # recently used: `make_room` removes the oldest first
        mapped = mmap.mmap(self._file, self._size, access=mmap.ACCESS_READ)
        self._flags = np.frombuffer(mapped, np.uint8, self.n_rows, HEADER_BYTES)
        self._checksums = np.frombuffer(mapped, "<u4", self.n_rows, self._checksums_at)
        shape = (self.n_rows, *self.shape)
        rows = np.frombuffer(mapped, self.dtype, int(np.prod(shape)), self._rows_at)
        self._rows = rows.reshape(shape)
        self._mapped = mapped

    def _row_bytes(self, index: int) -> memoryview:
        start = self._rows_at + index * self.row_bytes
        return memoryview(self._mapped)[start : start + self.row_bytes]

    def _replace_damaged(self, fault: str) -> None:
        self._warn(f"rebuilding the damaged cache file {self.path}: {fault}")
        self._close()
        self.path.unlink(missing_ok=True)
        self._checked[:] = False
        self._create()
        self._map()

    def _warn(self, text: str) -> None:
        warnings.warn(text, stacklevel=4)


def _write_at(file: int, data: bytes, offset: int) -> None:
    """Write without touching the file position, which forked processes share."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def make_room(n_bytes: int, keep: Path | None = None) -> None:
    """Remove the least recently used cache files until `n_bytes` more fit under the limit.

    Other processes that have a removed file mapped keep reading it until they close it.
    """
    files = [path for path in cache_directory().rglob("*.rows") if path != keep]
    ages = sorted(age for path in files if (age := _age(path)) is not None)
    used = sum(size for _, size, _ in ages)
    for _, size, path in ages:
        if used + n_bytes <= cache_limit_bytes():
            return
        path.unlink(missing_ok=True)
        used -= size


def _age(path: Path) -> tuple[float, int, Path] | None:
    """When a file was used last and its bytes on disk; None if another process removed it."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime, _disk_bytes(stat), path


def _disk_bytes(stat: os.stat_result) -> int:
    return stat.st_blocks * 512 if hasattr(stat, "st_blocks") else stat.st_size
