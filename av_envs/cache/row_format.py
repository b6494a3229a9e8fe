"""File format of fixed-size rows: header, flags, checksums and data; creation, reading, writing.

Files are not memory-mapped: if a mapped file is truncated, or a hole cannot be allocated on a
full tmpfs, access kills the process (SIGBUS), while a read raises an error.
"""

import errno
import os
import secrets
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from threading import Lock

import numpy as np

MAGIC = b"av-envs rows 1\n"
HEADER_BYTES = 4096  # magic, row bytes, row count, name, checksum, and which file this is
FILLED = 1
OPEN_FILES = 32  # of all rows together; a system may allow a process no more than 256
_BINARY = getattr(os, "O_BINARY", 0)  # only where files of text are something else

_serials = count()
_position = Lock()  # of files, where reading and writing move it


class DamagedError(Exception):
    """The content of a file is inconsistent; the message says how."""


class StoredRows:
    """The file at `path`, opened when it is needed and again when it was closed meanwhile.

    name       written into the file; another file in its place is noticed
    row_bytes  of each of `n_rows` rows
    may_write  whether rows can be added

    Making one, and every method, raises OSError (FileNotFoundError where another process has
    removed the file) or DamagedError.
    """

    def __init__(self, path: Path, name: str, row_bytes: int, n_rows: int, may_write: bool = True):
        self.path, self.name, self.may_write = path, name, may_write
        self.row_bytes, self.n_rows = row_bytes, n_rows
        self.checksums_at = HEADER_BYTES + -(-n_rows // 64) * 64
        self.rows_at = -(-(self.checksums_at + 4 * n_rows) // 4096) * 4096
        self.size = self.rows_at + row_bytes * n_rows
        self._serial = next(_serials)
        self._which = b""  # the header of the file that the rest is known of
        self._flags = np.zeros(n_rows, np.uint8)
        self._checked = np.zeros(n_rows, bool)

    def create(self) -> None:
        """Create an empty file beside its place and move it there: it is never seen incomplete.

        Flags and checksums are written, not left as a hole: a full disk is found out here. The
        mode is what the umask allows.
        """
        draft = self.path.with_name(f"{self.path.stem}-{secrets.token_hex(8)}.draft")
        try:
            with open(draft, "xb") as file:
                file.write(self._header() + f"{secrets.token_hex(8)}\n".encode())
                file.write(bytes(self.rows_at - file.tell()))
                file.truncate(self.size)
            if not self.path.exists():  # else another process was first, which is as good
                os.replace(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)

    def check(self) -> None:
        """Open the file."""
        self._file()

    def has(self, index: int) -> bool:
        """Whether a row is there; other processes may have written it just now."""
        self._file()  # if it is another one by now, nothing is known of its rows
        if self._flags[index] != FILLED:
            flag = bytearray(1)
            self._read(flag, HEADER_BYTES + index)
            self._flags[index] = flag[0]
        return self._flags[index] == FILLED

    def filled(self) -> np.ndarray:
        """(n_rows,) bool, which rows exist."""
        self._read(memoryview(self._flags), HEADER_BYTES)
        return self._flags == FILLED

    def is_checked(self, index: int) -> bool:
        """Whether this process has compared a row with its checksum."""
        self._file()
        return bool(self._checked[index])

    def read(self, index: int, start: int, data: memoryview) -> None:
        """Fill `data` from a row's byte `start` on.

        Whole rows are checked, once per process; parts are read of checked ones only.
        """
        self._read(data, self.rows_at + index * self.row_bytes + start)
        if self._checked[index]:
            return
        if len(data) != self.row_bytes:
            raise FileNotFoundError(errno.ENOENT, "another file is in its place", str(self.path))
        checksum = bytearray(4)
        self._read(checksum, self.checksums_at + 4 * index)
        if zlib.crc32(data) != int.from_bytes(checksum, "little"):
            raise DamagedError(f"row {index} does not match its checksum")
        self._checked[index] = True

    def write(self, index: int, data: bytes) -> None:
        """Add a row; one behind the end would hide that the file was cut short."""
        file = self._file()
        self._check_size(file)
        file.write(data, self.rows_at + index * self.row_bytes)
        checksum = zlib.crc32(data).to_bytes(4, "little")
        file.write(checksum, self.checksums_at + 4 * index)
        file.write(bytes([FILLED]), HEADER_BYTES + index)  # last: the row is complete
        self._flags[index], self._checked[index] = FILLED, True

    def _read(self, data: memoryview | bytearray, offset: int) -> None:
        file = self._file()
        n_read = file.read(data, offset)
        if n_read != len(data):
            raise DamagedError(f"it ends at byte {offset + n_read} instead of {self.size}")

    def _file(self) -> "_OpenFile":
        """The file; what is known of its rows is forgotten if another one took its place."""
        file = _opened(str(self.path), self.may_write, self._serial)
        if file.header != self._which:
            self._check_size(file)
            if not file.header.startswith(self._header()):
                raise DamagedError("its header is not ours")
            self._flags[:], self._checked[:] = 0, False
            self._which = file.header
        return file

    def _check_size(self, file: "_OpenFile") -> None:
        size = file.n_bytes()
        if size != self.size:
            raise DamagedError(f"it has {size} bytes instead of {self.size}")

    def _header(self) -> bytes:
        text = f"{self.row_bytes} {self.n_rows} {self.name}\n".encode()
        return MAGIC + text + str(zlib.crc32(text)).encode() + b"\n"


class _OpenFile:
    """An open file without a position, so that threads and forked processes may share it."""

    def __init__(self, path: str, may_write: bool):
        self._number = os.open(path, (os.O_RDWR if may_write else os.O_RDONLY) | _BINARY)
        weakref.finalize(self, os.close, self._number)
        header = bytearray(HEADER_BYTES)
        self.header = bytes(header[: self.read(header, 0)])

    def n_bytes(self) -> int:
        return os.fstat(self._number).st_size

    def read(self, data: memoryview | bytearray, offset: int) -> int:
        """Fill `data`; how many bytes there were."""
        view, n_read = memoryview(data).cast("B"), 0
        while n_read < len(view):
            part = view[n_read:]
            if hasattr(os, "preadv"):
                got = os.preadv(self._number, [part], offset + n_read)
            else:
                with self._at(offset + n_read) as file:
                    got = file.readinto(part)
            if not got:
                break
            n_read += got
        return n_read

    def write(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            if hasattr(os, "pwrite"):
                written = os.pwrite(self._number, view, offset)
            else:
                with self._at(offset) as file:
                    written = file.write(view)
            view, offset = view[written:], offset + written

    @contextmanager
    def _at(self, offset: int) -> Iterator:
        """For systems where only files with a position are read, which do not fork either."""
        with _position, open(self._number, "r+b", buffering=0, closefd=False) as file:
            file.seek(offset)
            yield file


@lru_cache(OPEN_FILES)
def _opened(path: str, may_write: bool, serial: int) -> _OpenFile:
    """An open file, cached; closed when evicted and no longer in use.

    serial  of the `StoredRows` that asks
    """
    return _OpenFile(path, may_write)
