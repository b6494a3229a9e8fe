"""Safe reader of SoundSpaces pickles, without its software and without executing their content.

A pickle names the classes it is made of, and loading it calls them. Here names are not
imported: plain containers, arrays of numpy and stand-ins for two foreign classes are made by
functions of this project that check their arguments: graphs of networkx become `Record`s,
observations of habitat become dicts. Anything else is refused by name. So neither package is
needed, and pickles of all their versions can be read.
"""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from av_envs.soundspaces.errors import MissingFileError, RefusedPickleError, UnreadableFileError
from av_envs.soundspaces.reading import pickled_arrays
from av_envs.soundspaces.reading.pickled_arrays import short_text

LARGEST_FILE = 2**31  # bytes
MOST_STEPS = 10_000_000  # of the program that a pickle is; a view takes about forty
SHARED, LEAST_WEIGHT = 4, 2**20  # how many times its size a pickle may copy, and items at least
LARGEST_KEY = 64  # numbers and words in the key of a dict
# What a damaged pickle can raise: it is a program, so nearly anything.
DAMAGED = (
    pickle.UnpicklingError, ArithmeticError, AssertionError, AttributeError, BufferError, EOFError,
    LookupError, MemoryError, RecursionError, TypeError, ValueError, struct.error,
)  # fmt: skip


class Record:
    """An object of a class that is not here: its attributes, and nothing that it could do."""

    def take(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)  # a dict, or with slots two
        for part in parts:
            if isinstance(part, dict) and all(type(name) is str for name in part):
                self.__dict__.update(part)
            elif part is not None:
                raise pickle.UnpicklingError("an object whose attributes have no names")


class RecordDict(dict):
    """The same for a subclass of dict; its attributes beside the items are dropped."""


class Name:
    """A class or a function that a pickle names.

    make  what calling it gives; None: it can be named, as networkx names dict, but not called
    """

    def __init__(self, name: str, make: Callable[..., Any] | None = None):
        self.name, self.make = name, make


def _container(kind: type) -> Callable[..., Any]:
    """Makes a container of the items of another one, or an empty one."""

    def make(items: Any = ()) -> Any:
        if not isinstance(items, list | tuple | set | frozenset | dict):
            raise pickle.UnpicklingError(f"{kind.__name__} of {short_text(items)}")
        if kind in (set, frozenset):
            _check_keys(items)
        if kind in (dict, OrderedDict):
            pairs = list(items.items()) if isinstance(items, dict) else list(items)
            if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
                raise pickle.UnpicklingError(f"{kind.__name__} of something else than pairs")
            _check_keys([key for key, _ in pairs])
            return kind((key, value) for key, value in pairs)
        return kind(items)

    return make


def _byte_array(content: Any = b"", encoding: Any = "latin1") -> bytearray:
    if isinstance(content, str):
        content = _latin1(content, encoding)
    if not isinstance(content, bytes):  # of a number it would be as many zeros
        raise pickle.UnpicklingError(f"bytearray of {short_text(content)}")
    return bytearray(content)


def _latin1(text: Any, encoding: Any) -> bytes:
    """Bytes, as Python 3 writes them for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text encoded as {short_text(encoding)}")
    if not isinstance(text, str):
        raise pickle.UnpicklingError(f"bytes of {short_text(text)}")
    return text.encode("latin1")


def _complex(real: float, imaginary: float) -> complex:
    return complex(float(real), float(imaginary))


def _slice(start: Any, stop: Any, step: Any) -> slice:
    if not all(each is None or type(each) is int for each in (start, stop, step)):
        raise pickle.UnpicklingError("a slice of something else than whole numbers")
    return slice(start, stop, step)


def _rebuilt(kind: Any, base: Any, state: Any) -> Any:
    """Replacement of `copyreg._reconstructor` (oldest protocols), for stand-ins only."""
    if kind is RECORD and base is OBJECT:
        return Record()
    if kind is OBSERVATIONS and base is DICT and isinstance(state, dict):
        return RecordDict(state)
    raise pickle.UnpicklingError(f"an object of {_named(kind)} on top of {_named(base)}")


def _named(kind: Any) -> str:
    return kind.name if isinstance(kind, Name) else short_text(kind)


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """An array before its state, which has shape and type, is set."""
    if kind is not ARRAY:
        raise pickle.UnpicklingError(f"an array of the class {_named(kind)}")
    return np.empty(0, np.int8)


RECORD = Name("networkx", lambda *_: Record())
OBSERVATIONS = Name("habitat.core.simulator.Observations", lambda: RecordDict())
ARRAY = Name("numpy.ndarray")
OBJECT = Name("builtins.object")
DICT = Name("builtins.dict", _container(dict))
CORES = ("numpy.core", "numpy._core")  # of numpy 1 and 2
KNOWN: dict[str, Name] = {
    known.name: known
    for known in (
        OBSERVATIONS, ARRAY, OBJECT, DICT,
        *(Name(f"builtins.{kind.__name__}", _container(kind))
          for kind in (frozenset, list, set, tuple)),
        *(Name(f"builtins.{kind}") for kind in ("bool", "float", "int", "long", "str", "unicode")),
        Name("builtins.bytearray", _byte_array),
        Name("builtins.bytes", lambda: b""),
        Name("builtins.complex", _complex),
        Name("builtins.slice", _slice),
        Name("collections.OrderedDict", _container(OrderedDict)),
        Name("copyreg._reconstructor", _rebuilt),
        Name("_codecs.encode", _latin1),
        Name("numpy.dtype", pickled_arrays.Type),
        *(Name(f"{core}.multiarray.scalar", pickled_arrays.scalar) for core in CORES),
        *(Name(f"{core}.multiarray._reconstruct", _empty_array) for core in CORES),
        *(Name(f"{core}.numeric._frombuffer", pickled_arrays.from_buffer) for core in CORES),
    )
}  # fmt: skip
OF_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic)


def _check_keys(keys: Any) -> None:
    """Raise unless all are plain values or short tuples of them: others may not be hashed."""
    for key in keys:
        waiting, n = [key], 0
        while waiting:
            one, n = waiting.pop(), n + 1
            if n > LARGEST_KEY:
                raise pickle.UnpicklingError(f"a key of more than {LARGEST_KEY} parts")
            if type(one) in (tuple, frozenset):
                waiting += one
            elif not isinstance(one, PLAIN):
                raise pickle.UnpicklingError(f"a key that is {short_text(one)}")


class _Bytes(io.BytesIO):
    """Bytes that are read in full or not at all."""

    def read(self, n: int = -1) -> bytes:
        data = super().read(n)
        if len(data) < n:
            raise EOFError(f"it ends {n - len(data)} bytes early")
        return data


class _Unpickler(pickle._Unpickler):
    """The unpickler that is written in Python: its memory grows with the pickle only.

    Wherever it would call, fill or change an object, only what this page knows is accepted.
    """

    def __init__(self, content: bytes, path: Path):
        super().__init__(_Bytes(content), encoding="latin1")  # what arrays of Python 2 need
        self._path, self._size, self._steps = path, len(content), 0
        self._weight = SHARED * len(content) + LEAST_WEIGHT
        self._empty: dict[int, np.ndarray] = {}  # arrays that still lack their content

    def find_class(self, module: str, name: str) -> Name:
        module = OF_PYTHON_2.get(module, module)
        if module.partition(".")[0] == "networkx":
            return RECORD
        wanted = f"{module}.{name}"
        if wanted not in KNOWN:
            raise RefusedPickleError(
                self._path, f"the pickle asks for {wanted[:120]}, which is never run"
            )
        return KNOWN[wanted]

    def persistent_load(self, _: Any) -> Any:
        raise pickle.UnpicklingError("it refers to objects outside")

    def get_extension(self, code: int) -> Any:
        raise pickle.UnpicklingError(f"it refers to the extension {code}")

    def step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise pickle.UnpicklingError(f"it has more than {MOST_STEPS} steps")

    def _weigh(self, parts: Any) -> None:
        """Raise if what is copied all in all is more than a few times the pickle itself."""
        self._weight -= sum(len(part) for part in parts if isinstance(part, SIZED))
        if self._weight < 0:
            raise pickle.UnpicklingError("it copies more than it holds")

    def _call(self, called: Any, arguments: Any) -> Any:
        if not isinstance(called, Name) or not isinstance(arguments, tuple | list):
            raise pickle.UnpicklingError(f"a call of {short_text(called)}")
        if called.make is None:
            raise pickle.UnpicklingError(f"a call of {called.name}")
        self._weigh(arguments)
        made = called.make(*arguments)
        if called.make is _empty_array:
            self._empty[id(made)] = made
        return made

    def _instantiate(self, kind: Any, arguments: Any) -> None:
        self.append(self._call(kind, arguments))

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], arguments)

    def load_newobj_ex(self) -> None:
        named = self.stack.pop()
        if not isinstance(named, dict) or named:
            raise pickle.UnpicklingError("a call with named arguments")
        self.load_reduce()

    def load_build(self) -> None:
        state = self.stack.pop()
        built = self.stack[-1]
        self._weigh(state if isinstance(state, tuple) else (state,))
        if isinstance(built, Record):
            built.take(state)
        elif isinstance(built, pickled_arrays.Type):
            built.build(state)
        elif self._empty.pop(id(built), None) is not None:
            pickled_arrays.fill(built, state)
        elif not isinstance(built, RecordDict):
            raise pickle.UnpicklingError(f"attributes for {short_text(built)}")

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._top(list).extend(items)

    def load_append(self) -> None:
        item = self.stack.pop()
        self._top(list).append(item)

    def load_additems(self) -> None:
        items = self.pop_mark()
        _check_keys(items)
        self._top(set).update(items)

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        _check_keys(items)
        self.append(frozenset(items))

    def load_setitem(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._set([key, value])

    def load_setitems(self) -> None:
        self._set(self.pop_mark())

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._set(items)

    def load_bytearray8(self) -> None:
        (n,) = struct.unpack("<Q", self.read(8))
        if n > self._size:
            raise EOFError(f"{n} bytes in a file of {self._size}")
        self.append(bytearray(self.read(n)))

    def _set(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise pickle.UnpicklingError("a key without a value")
        _check_keys(items[::2])
        self._top(dict).update(zip(items[::2], items[1::2], strict=True))

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise pickle.UnpicklingError(f"items for {short_text(self.stack[-1])}")
        return self.stack[-1]


def _counted(load: Callable[[_Unpickler], None]) -> Callable[[_Unpickler], None]:
    def counted(self: _Unpickler) -> None:
        self.step()
        load(self)

    return counted


_OWN = {
    pickle.REDUCE: _Unpickler.load_reduce,
    pickle.NEWOBJ: _Unpickler.load_reduce,
    pickle.NEWOBJ_EX: _Unpickler.load_newobj_ex,
    pickle.BUILD: _Unpickler.load_build,
    pickle.APPEND: _Unpickler.load_append,
    pickle.APPENDS: _Unpickler.load_appends,
    pickle.ADDITEMS: _Unpickler.load_additems,
    pickle.FROZENSET: _Unpickler.load_frozenset,
    pickle.SETITEM: _Unpickler.load_setitem,
    pickle.SETITEMS: _Unpickler.load_setitems,
    pickle.DICT: _Unpickler.load_dict,
    pickle.BYTEARRAY8: _Unpickler.load_bytearray8,
}
_Unpickler.dispatch = {
    code: _counted(load)
    for code, load in {
        **pickle._Unpickler.dispatch, **{code[0]: load for code, load in _OWN.items()},
    }.items()
}  # fmt: skip


def load_pickle(path: Path) -> Any:
    """Content of a pickle: plain containers, numpy arrays, `Record` and `RecordDict`."""
    if not path.is_file():
        raise MissingFileError(path, "this file does not exist")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise UnreadableFileError(path, f"has {size} bytes; of a pickle {LARGEST_FILE} are read")
    try:
        return _Unpickler(path.read_bytes(), path).load()
    except RefusedPickleError:
        raise
    except DAMAGED as error:
        reason = str(error)[:200] or type(error).__name__
        raise UnreadableFileError(path, f"this is no pickle that can be read: {reason}") from None
