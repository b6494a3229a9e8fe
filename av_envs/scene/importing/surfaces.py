"""Triangles with colours and names: what the reader of every mesh format returns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Names = tuple[str, ...]


class Surfaces(NamedTuple):
    """The triangles of a file, in its own unit and axes.

    triangles  (T,3,3) float64, corners
    colour     (T,3) uint8, and coloured (T,) bool: whether the file says so
    part       (T,) int32, index into `names`
    names      of each part: its material's name, then its own; may be empty
    unit, up   metres per unit and "x", "y" or "z", None where the file does not say
    notes      content of the file that is not read, for the report
    """

    triangles: np.ndarray
    colour: np.ndarray
    coloured: np.ndarray
    part: np.ndarray
    names: tuple[Names, ...]
    unit: float | None
    up: str | None
    notes: tuple[str, ...] = ()


class Part(NamedTuple):
    """Triangles with the same names.

    triangles  (F,3,3) float64
    colours    (F,3) 0..255, None where the file gives none
    """

    triangles: np.ndarray
    colours: np.ndarray | None
    names: Names


def surfaces_of(
    parts: Sequence[Part],
    unit: float | None = None,
    up: str | None = None,
    notes: Sequence[str] = (),
) -> Surfaces:
    """Parts as one, those without a triangle left out."""
    parts = [part for part in parts if len(part.triangles)]
    lengths = [len(part.triangles) for part in parts]
    colours = [
        np.full((n, 3), -1.0) if part.colours is None else np.asarray(part.colours, float)
        for part, n in zip(parts, lengths, strict=True)
    ]
    colour = np.concatenate([np.empty((0, 3)), *colours])
    return Surfaces(
        np.concatenate([np.empty((0, 3, 3)), *(part.triangles for part in parts)]),
        colour.round().clip(0, 255).astype(np.uint8),
        colour[:, 0] >= 0,
        np.repeat(np.arange(len(parts), dtype=np.int32), lengths),
        tuple(part.names for part in parts),
        unit,
        up,
        tuple(dict.fromkeys(notes)),
    )
