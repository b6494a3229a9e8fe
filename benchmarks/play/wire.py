"""Wire format of agents' answers: numbers, text, arrays, lists and dicts of these as bytes.

Pickle would let the sender run code where it is read; this cannot. A message is the length of a
JSON text (4 bytes, little-endian), the text, and the bytes of all arrays one after the other.
"""

import json
import math
import re
import struct
from typing import Any

import numpy as np

_LENGTH = struct.Struct("<I")
_DTYPE = re.compile(r"[<>|][biuf](1|2|4|8)")


def pack(value: Any) -> bytes:
    """The message; `TypeError` for what is neither number, text, array, list nor dict."""
    arrays: list[np.ndarray] = []
    tree = _encoded(value, arrays)
    kinds = [[array.dtype.str, array.shape] for array in arrays]
    text = json.dumps([tree, kinds], separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *(array.tobytes() for array in arrays)])


def unpack(message: bytes) -> Any:
    """The value; arrays are read-only. `ValueError` for bytes that `pack` did not write."""
    try:
        (length,) = _LENGTH.unpack_from(message)
        tree, kinds = json.loads(message[_LENGTH.size : _LENGTH.size + length])
        arrays = _arrays(message, _LENGTH.size + length, kinds)
        return _decoded(tree, arrays)
    except (struct.error, ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(f"a message of {len(message)} bytes cannot be read: {error}") from error


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    """JSON in which lists, dicts and arrays are lists that begin with their kind."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            raise TypeError(f"keys must be text: {list(value)}")
        return ["dict", {key: _encoded(item, arrays) for key, item in value.items()}]
    if isinstance(value, list | tuple):
        return ["list", [_encoded(item, arrays) for item in value]]
    if isinstance(value, np.ndarray | np.generic):
        if not _DTYPE.fullmatch(value.dtype.str):
            raise TypeError(f"an array of {value.dtype} cannot be sent")
        arrays.append(np.asarray(value))
        return ["array" if isinstance(value, np.ndarray) else "scalar", len(arrays) - 1]
    raise TypeError(f"a {type(value).__name__} cannot be sent")


def _decoded(tree: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(tree, list):
        return tree
    kind, content = tree
    if kind == "dict":
        return {key: _decoded(item, arrays) for key, item in content.items()}
    if kind == "list":
        return [_decoded(item, arrays) for item in content]
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    raise ValueError(f"unknown kind {kind!r}")


def _arrays(message: bytes, start: int, kinds: list[Any]) -> list[np.ndarray]:
    arrays = []
    for dtype, shape in kinds:
        if not _DTYPE.fullmatch(dtype) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"no array is {dtype} {shape}")
        count = math.prod(shape)
        part = np.frombuffer(message, dtype, count, start)
        arrays.append(part.reshape(shape))
        start += part.nbytes
    if start != len(message):
        raise ValueError(f"{len(message) - start} bytes are left over")
    return arrays
