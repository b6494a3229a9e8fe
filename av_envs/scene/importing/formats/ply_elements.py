"""The layout of PLY files: a header that declares elements, and their values."""

from dataclasses import dataclass

import numpy as np

TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
    "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": ""}
LONGEST_HEADER = 1 << 20  # bytes


@dataclass(frozen=True)
class Property:
    """A value of an element; a list if `counted_by` is the type of its length."""

    name: str
    type: str
    counted_by: str | None = None


@dataclass(frozen=True)
class Element:
    name: str
    count: int
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Header:
    """order  "<" or ">", "" for text; body  where the values begin, in bytes"""

    order: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...]
    body: int


@dataclass(frozen=True)
class Values:
    """Values of an element: (n,) float64 by name, and of lists their values and (n,) lengths."""

    scalars: dict[str, np.ndarray]
    lists: dict[str, tuple[np.ndarray, np.ndarray]]


def read_header(data: bytes) -> Header:
    end = data.find(b"end_header", 0, LONGEST_HEADER)
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("it has no header of a PLY file")
    newline = data.find(b"\n", end)
    lines = data[:end].decode("ascii", errors="replace").replace("\r", "\n").split("\n")
    order, comments, elements = None, [], []
    for number, line in enumerate(lines[1:], 2):
        word, *rest = line.split() or ["comment"]
        if word == "format" and len(rest) == 2:
            if rest[0] not in ORDERS or rest[1] != "1.0":
                raise ValueError(f"the format {' '.join(rest)!r} is none of {', '.join(ORDERS)}")
            order = ORDERS[rest[0]]
        elif word == "comment":
            comments.append(" ".join(rest))
        elif word == "element" and len(rest) == 2 and rest[1].isdigit():
            elements.append((rest[0], int(rest[1]), []))
        elif word == "property" and elements:
            elements[-1][2].append(_property(number, rest))
        elif word != "obj_info":
            raise ValueError(f"line {number} of the header is not understood: {line[:60]!r}")
    if order is None:
        raise ValueError("its header names no format")
    made = tuple(Element(name, n, tuple(properties)) for name, n, properties in elements)
    return Header(order, made, tuple(comments), len(data) if newline < 0 else newline + 1)


def _property(number: int, words: list[str]) -> Property:
    kinds = words[1:3] if words[:1] == ["list"] else words[:1]
    unknown = [kind for kind in kinds if kind not in TYPES]
    if unknown:
        raise ValueError(f"line {number} of the header: the type {unknown[0]!r} is not read; "
                         f"types are {', '.join(TYPES)}")  # fmt: skip
    if len(words) == 4 and words[0] == "list":
        if TYPES[words[1]][0] == "f":
            raise ValueError(f"line {number} of the header: a {words[1]} cannot count a list")
        return Property(words[3], TYPES[words[2]], TYPES[words[1]])
    if len(words) != 2:
        raise ValueError(f"line {number} of the header is not understood: {' '.join(words)!r}")
    return Property(words[1], TYPES[words[0]])


def read_values(data: bytes, header: Header) -> dict[str, Values]:
    """Values of all elements; ValueError unless the file has exactly those of the header."""
    if header.order:
        body, at = data[header.body :], 0
    else:
        words = data[header.body :].split()
        try:
            numbers = np.array(words, float)
        except ValueError as error:
            raise ValueError(f"a value is no number: {error}") from None
        body, at = numbers.astype("<f8").tobytes(), 0
    found = {}
    for element in header.elements:
        found[element.name], at = _element(body, at, element, header.order)
    rest = len(body) - at
    if rest and (not header.order or body[at:].strip(b"\r\n\0 ")):
        more = f"{rest} bytes" if header.order else f"{rest // 8} numbers"
        declared = ", ".join(f"{each.count} x {each.name}" for each in header.elements)
        raise ValueError(f"{more} follow what its header declares: {declared}")
    return found


def _element(body: bytes, at: int, element: Element, order: str) -> tuple[Values, int]:
    """The values of one element and where the next one begins."""
    lists = [p for p in element.properties if p.counted_by]
    if not element.properties or not element.count:
        empty = np.empty(0)
        return Values({p.name: empty for p in element.properties if not p.counted_by},
                      {p.name: (empty, empty.astype(int)) for p in lists}), at  # fmt: skip
    smallest = sum(_typed(p.counted_by or p.type, order).itemsize for p in element.properties)
    if at + smallest * element.count > len(body):
        raise ValueError(_too_short(element, (len(body) - at) // smallest))
    lengths = _first_lengths(body, at, element, order)
    rows = _rows_alike(body, at, element, order, lengths)
    if rows is None:
        return _rows_one_by_one(body, at, element, order)
    scalars = {p.name: rows[p.name].astype(float) for p in element.properties if not p.counted_by}
    values = {
        p.name: (rows[p.name].reshape(-1).astype(float), np.full(len(rows), lengths[p.name]))
        for p in lists
    }
    return Values(scalars, values), at + rows.nbytes


def _typed(kind: str, order: str) -> np.dtype:
    return np.dtype(order + kind) if order else np.dtype("<f8")


def _first_lengths(body: bytes, at: int, element: Element, order: str) -> dict[str, int]:
    """Lengths of the lists of the first row."""
    lengths = {}
    for each in element.properties:
        if each.counted_by:
            lengths[each.name] = _number(body, at, element, 0, _typed(each.counted_by, order))
            _check_length(lengths[each.name], element, 0, body)
            at += _typed(each.counted_by, order).itemsize
        at += _typed(each.type, order).itemsize * lengths.get(each.name, 1)
    return lengths


def _rows_alike(
    body: bytes, at: int, element: Element, order: str, lengths: dict[str, int]
) -> np.ndarray | None:
    """All rows at once where their lists are as long as in the first; None where they are not."""
    fields = []
    for each in element.properties:
        if each.counted_by:
            fields.append((f"count of {each.name}", _typed(each.counted_by, order)))
            fields.append((each.name, _typed(each.type, order), (lengths[each.name],)))
        else:
            fields.append((each.name, _typed(each.type, order)))
    kind = np.dtype(fields)
    if at + kind.itemsize * element.count > len(body):
        return None
    rows = np.frombuffer(body, kind, element.count, at)
    alike = all((rows[f"count of {name}"] == length).all() for name, length in lengths.items())
    return rows if alike else None


def _rows_one_by_one(body: bytes, at: int, element: Element, order: str) -> tuple[Values, int]:
    scalars = {p.name: np.empty(element.count) for p in element.properties if not p.counted_by}
    pieces: dict[str, list] = {p.name: [] for p in element.properties if p.counted_by}
    steps = [
        (p.name, _typed(p.type, order), _typed(p.counted_by, order) if p.counted_by else None)
        for p in element.properties
    ]
    for row in range(element.count):
        for name, kind, counted_by in steps:
            if counted_by is None:
                scalars[name][row] = _number(body, at, element, row, kind)
                at += kind.itemsize
                continue
            n = _number(body, at, element, row, counted_by)
            _check_length(n, element, row, body)
            at += counted_by.itemsize
            if at + n * kind.itemsize > len(body):
                raise ValueError(_too_short(element, row))
            pieces[name].append(np.frombuffer(body, kind, n, at))
            at += n * kind.itemsize
    lists = {
        name: (np.concatenate(each).astype(float), np.array([len(piece) for piece in each]))
        for name, each in pieces.items()
    }
    return Values(scalars, lists), at


def _number(body: bytes, at: int, element: Element, row: int, kind: np.dtype) -> int | float:
    if at + kind.itemsize > len(body):
        raise ValueError(_too_short(element, row))
    value = np.frombuffer(body, kind, 1, at)[0].item()
    return int(value) if value == value and abs(value) < 2**53 and value == int(value) else value


def _check_length(n: int | float, element: Element, row: int, body: bytes) -> None:
    if not isinstance(n, int) or not 0 <= n <= len(body):
        raise ValueError(f"a list of the {element.name} {row} has the length {n}")


def _too_short(element: Element, there: int) -> str:
    return (f"the header declares {element.count} x {element.name}, "
            f"the file has room for {there} at most")  # fmt: skip
