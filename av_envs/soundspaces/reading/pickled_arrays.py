"""Arrays and numbers of numpy in pickles, made again from a checked type and checked bytes.

numpy's own way would believe a pickle: with types whose flags or offsets are forged it reads
and writes memory that is not there. Here a type is a letter and a size, as in `CODE`; the bytes
must be as many as shape and type need.
"""

import math
import pickle
import re
from typing import Any

import numpy as np

# Truth values, integers, floats, complex numbers, bytes and text. No objects, fields or dates.
CODE = re.compile(r"b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SU][1-9]\d{0,5}")
MOST_AXES = 32
LARGEST = 2**40  # values of an array


class Type:
    """A type of numpy as a pickle builds it: its code first, then its byte order.

    Raises `pickle.UnpicklingError` for types that are not in CODE.
    """

    def __init__(self, code: Any, *copying: Any):
        if not isinstance(code, str) or not CODE.fullmatch(code) or len(copying) > 2:
            raise pickle.UnpicklingError(f"an array of the type {short_text(code)}")
        self._code, self._order = code, "="

    def build(self, state: Any) -> None:
        """The byte order, out of what numpy writes about a type."""
        if not isinstance(state, tuple) or len(state) < 8:
            raise pickle.UnpicklingError("a type of numpy without its state")
        _, order, base, names, fields, size = state[:6]
        if not isinstance(order, str) or order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"a type with the byte order {short_text(order)}")
        if not (base is None and names is None and fields is None):
            raise pickle.UnpicklingError("an array with fields")
        made = np.dtype(order + self._code)
        if type(size) is not int or size not in (-1, made.itemsize):
            raise pickle.UnpicklingError(f"a type {made} of {short_text(size)} bytes")
        self._order = order

    def made(self) -> np.dtype:
        return np.dtype(self._order + self._code)


def scalar(kind: Any, content: Any = b"") -> Any:
    """A number of numpy."""
    return np.frombuffer(_checked(content, _type(kind), ()), _type(kind), 1)[0]


def fill(array: np.ndarray, state: Any) -> None:
    """Make an empty array what its state says: shape, type, order of the axes and bytes."""
    if not isinstance(state, tuple) or len(state) != 5 or state[0] != 1:
        raise pickle.UnpicklingError("an array without its state")
    _, shape, kind, in_fortran_order, content = state
    made = _type(kind)
    content = _checked(content, made, shape)
    array.__setstate__((1, shape, made, bool(in_fortran_order), content))


def from_buffer(
    content: Any, kind: Any, shape: Any, order: Any, axis_order: Any = None
) -> np.ndarray:
    """An array as protocol 5 has it."""
    made = _type(kind)
    content = _checked(content, made, shape)
    array = np.frombuffer(content, made) if len(content) else np.empty(0, made)
    if order == "K" and isinstance(axis_order, tuple):
        return array.reshape(shape).transpose(axis_order)
    if order not in ("C", "F"):
        raise pickle.UnpicklingError(f"an array in the order {short_text(order)}")
    return array.reshape(shape, order=order)


def short_text(value: Any) -> str:
    """Short text about an object of a pickle, of limited length."""
    if isinstance(value, str):
        return repr(value[:40])
    if type(value) is int and abs(value) < 2**64:
        return str(value)
    return f"a {type(value).__name__}"


def _type(kind: Any) -> np.dtype:
    if not isinstance(kind, Type):
        raise pickle.UnpicklingError("an array without a type")
    return kind.made()


def _checked(content: Any, kind: np.dtype, shape: Any) -> bytes | bytearray:
    """The bytes of an array, as many as it needs; Python 2 has them as text."""
    if isinstance(content, str):
        content = content.encode("latin1")
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("an array without its bytes")
    if (
        not isinstance(shape, tuple)
        or len(shape) > MOST_AXES
        or not all(type(n) is int and n >= 0 for n in shape)
        or math.prod(n for n in shape if n) > LARGEST
    ):
        raise pickle.UnpicklingError("an array of an impossible shape")
    needed = math.prod(shape) * kind.itemsize
    if len(content) != needed:
        raise pickle.UnpicklingError(
            f"an array {shape} of {kind} needs {needed} bytes, there are {len(content)}"
        )
    return content
