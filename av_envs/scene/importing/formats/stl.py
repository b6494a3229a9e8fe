"""STL: triangles, binary or as text."""

import re
from pathlib import Path

import numpy as np

from av_envs.scene.importing.surfaces import Part, Surfaces, surfaces_of

HEAD = 84  # bytes: a comment of 80 and the number of triangles
RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# The words of a triangle around its twelve numbers.
FACET = ["facet", "normal", "outer", "loop", "vertex", "vertex", "vertex", "endloop", "endfacet"]
NUMBERS = [2, 3, 4, 8, 9, 10, 12, 13, 14, 16, 17, 18]  # their places among the words
N_WORDS = len(FACET) + len(NUMBERS)
PLACES = [place for place in range(N_WORDS) if place not in NUMBERS]  # of its own words


def read_stl(path: Path) -> Surfaces:
    """The triangles of a file, a part for each solid of a text."""
    data = path.read_bytes()
    declared = int.from_bytes(data[HEAD - 4 : HEAD], "little")
    if len(data) >= HEAD and len(data) == HEAD + RECORD.itemsize * declared:
        return _binary(data)
    if data.lstrip()[:5].lower() == b"solid" and b"facet" in data[:4096].lower():
        return _text(data)
    if data.lstrip()[:5].lower() == b"solid" and b"endsolid" in data[:4096].lower():
        return surfaces_of([])
    if len(data) < HEAD:
        raise ValueError(f"{len(data)} bytes are neither a binary STL file nor a text")
    there = (len(data) - HEAD) / RECORD.itemsize
    raise ValueError(f"it declares {declared} triangles and has room for {there:g}")


def _binary(data: bytes) -> Surfaces:
    rows = np.frombuffer(data, RECORD, offset=HEAD)
    notes = ["attributes of triangles are not read"] if rows["attribute"].any() else []
    return surfaces_of([Part(rows["corners"].astype(float), None, ())], notes=notes)


def _text(data: bytes) -> Surfaces:
    text = data.decode("utf-8", errors="replace")
    parts, end = [], 0
    for solid in re.finditer(r"\s*solid\b([^\n]*)\n(.*?)\bendsolid\b[^\n]*", text, re.S | re.I):
        if text[end : solid.start()].strip():
            break
        parts.append(Part(_facets(solid[2].split()), None, _names(solid[1])))
        end = solid.end()
    if text[end:].strip():
        raise ValueError(f"after {len(parts)} whole solids it goes on with "
                         f"{text[end:].strip()[:30]!r}, which has no end")  # fmt: skip
    return surfaces_of(parts)


def _names(stated: str) -> tuple[str, ...]:
    return (stated.strip(),) if stated.strip() else ()


def _facets(words: list[str]) -> np.ndarray:
    """(F,3,3) of the words of one solid."""
    n = sum(word.lower() == "endfacet" for word in words)
    if len(words) != N_WORDS * n:
        raise ValueError(f"{n} facets need {N_WORDS * n} words, a solid has {len(words)}")
    for place, wanted in zip(PLACES, FACET, strict=True):
        found = words[place::N_WORDS]
        for word in {word for word in set(found) if word.lower() != wanted}:
            row = found.index(word)
            facet = " ".join(words[N_WORDS * row : N_WORDS * (row + 1)])
            raise ValueError(f"the facet {row} is not understood: {facet[:80]!r}")
    try:
        columns = [list(map(float, words[place::N_WORDS])) for place in NUMBERS[3:]]
    except ValueError as error:
        raise ValueError(f"a corner is no number: {error}") from None
    return np.array(columns).T.reshape(-1, 3, 3)
