"""Requests to an agent's process: arrays through shared memory, all else pickled through a pipe.

A quarter of a megabyte, the size of an observation, costs four times as much time in a pipe.
"""

import mmap
import os
import pickle
import tempfile
from typing import Any

CAPACITY = 1 << 22  # bytes; arrays that do not fit go through the pipe
ALIGNMENT = 64  # bytes


class ArrayWriter:
    """The side that sends. One request at a time: the next one overwrites the arrays."""

    def __init__(self):
        self._file = _memory()
        os.ftruncate(self._file, CAPACITY)
        self._map = mmap.mmap(self._file, CAPACITY)

    @property
    def descriptor(self) -> int:
        """To be handed to the process of an `ArrayReader`."""
        return self._file

    def dumps(self, request: Any) -> bytes:
        """What goes through the pipe; the arrays lie in memory when this returns."""
        buffers: list[pickle.PickleBuffer] = []
        text = pickle.dumps(request, 5, buffer_callback=buffers.append)
        spans, end = [], 0
        for buffer in buffers:
            raw = buffer.raw()
            start, end = end, end + raw.nbytes
            if end > CAPACITY:
                return pickle.dumps((None, pickle.dumps(request, 5)))
            self._map[start:end] = raw
            spans.append((start, end))
            end += -end % ALIGNMENT
        return pickle.dumps((spans, text))

    def close(self) -> None:
        self._map.close()
        os.close(self._file)


class ArrayReader:
    """The side that receives; it cannot write into the memory."""

    def __init__(self, descriptor: int):
        self._map = mmap.mmap(descriptor, CAPACITY, access=mmap.ACCESS_READ)

    def loads(self, message: bytes) -> Any:
        """The request; its arrays are copies and stay what they are."""
        spans, text = pickle.loads(message)  # of our own parent process
        if spans is None:
            return pickle.loads(text)
        return pickle.loads(text, buffers=[bytearray(self._map[a:b]) for a, b in spans])


def _memory() -> int:
    """Descriptor of a file that no path leads to, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("observations")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
