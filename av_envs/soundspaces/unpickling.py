"""Pickles of SoundSpaces read without its software, and without running what they contain.

A pickle names the classes it is made of, and loading it runs whatever it names. Here only
plain containers, numpy arrays and stand-ins for two foreign classes exist: graphs of networkx
become `Record`s, observations of habitat become dicts. Anything else is refused by name. So
neither package is needed, and pickles of all their versions can be read.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from av_envs.soundspaces.errors import MissingFileError, RefusedPickleError, UnreadableFileError

try:
    from numpy._core import multiarray, numeric
except ImportError:  # numpy 1
    from numpy.core import multiarray, numeric

# What a damaged pickle can raise: it is a program, so nearly anything.
DAMAGED = (
    pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, MemoryError,
    OverflowError, TypeError, ValueError,
)  # fmt: skip


class Record:
    """An object of a class that is not here: its attributes, and nothing that it could do."""

    def __init__(self, *arguments: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)  # a dict, or with slots two
        for part in parts:
            if isinstance(part, dict):
                self.__dict__.update(part)


class RecordDict(dict):
    """The same for a class that is a dict."""

    def __setstate__(self, state: Any) -> None:
        pass  # attributes beside the items: nobody wants them


def _rebuilt(kind: type, base: type, state: Any) -> Any:
    """What `copyreg._reconstructor` makes of the oldest protocols' objects, for stand-ins only."""
    if kind not in (Record, RecordDict) or base not in (object, dict):
        raise pickle.UnpicklingError(f"an object of {kind!r} on top of {base!r}")
    return kind() if base is object else kind(state)


def _latin1(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 writes them for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text encoded as {encoding!r}")
    return text.encode("latin1")


ALLOWED: dict[tuple[str, str], Any] = {
    **{("builtins", kind.__name__): kind for kind in (
        bool, bytearray, bytes, complex, dict, float, frozenset, int, list, object, set, slice,
        str, tuple,
    )},
    ("builtins", "long"): int,
    ("builtins", "unicode"): str,
    ("collections", "OrderedDict"): OrderedDict,
    ("copyreg", "_reconstructor"): _rebuilt,
    ("_codecs", "encode"): _latin1,
    ("habitat.core.simulator", "Observations"): RecordDict,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{
        (f"numpy.{core}.multiarray", name): getattr(multiarray, name)
        for core in ("core", "_core") for name in ("scalar", "_reconstruct")
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): numeric._frombuffer for core in ("core", "_core")},
}  # fmt: skip


OF_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, path: Path):
        super().__init__(file, encoding="latin1")  # what numpy's arrays of Python 2 need
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        module = OF_PYTHON_2.get(module, module)
        if module.partition(".")[0] == "networkx":
            return Record
        if (module, name) not in ALLOWED:
            raise RefusedPickleError(
                self._path, f"the pickle asks for {module}.{name}, which is never run"
            )
        return ALLOWED[module, name]

    def persistent_load(self, _: Any) -> Any:
        raise pickle.UnpicklingError("it refers to objects outside")


def load_pickle(path: Path) -> Any:
    """What a pickle holds: plain containers, numpy arrays, `Record` and `RecordDict`."""
    if not path.is_file():
        raise MissingFileError(path, "this file does not exist")
    try:
        with path.open("rb") as file:
            return _Unpickler(file, path).load()
    except RefusedPickleError:
        raise
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise UnreadableFileError(path, f"this is no pickle that can be read: {reason}") from None
