"""Spectrograms and curves with axes, in pictures of episodes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from av_envs.vision.drawing import Colour, draw_disc, draw_line, draw_text
from av_envs.vision.font import CUT, text_mask
from av_envs.vision.panels import INK, WHITE, Panel, heat, put

RANGE_DB = 60.0  # from black to bright; the brightest point of each spectrogram is 0 dB
FAINT: Colour = (110, 112, 118)
GRID: Colour = (214, 214, 210)
SILENCE = 1e-6  # magnitude below which all is black
ROWS = 128  # of a spectrogram's picture, before it is enlarged


class Axis(NamedTuple):
    """Of a curve.

    last  step at the right end
    unit  values at the ends of the upright axis are multiples of it
    """

    last: int
    unit: float


def spectrogram_picture(magnitude: np.ndarray, brightest: float | None = None) -> np.ndarray:
    """(128, columns, 3) uint8 picture of magnitudes (512, columns), low frequencies at the bottom.

    Colours are dB below the loudest point, or below the magnitude `brightest`, down to RANGE_DB.
    """
    loudest = magnitude.reshape(ROWS, magnitude.shape[0] // ROWS, -1).max(axis=1)
    reference = max(float(loudest.max()) if brightest is None else brightest, SILENCE)
    decibels = 20 * np.log10(np.maximum(loudest, 1e-3 * SILENCE) / reference)
    return heat(1 + decibels[::-1] / RANGE_DB)


def draw_spectrogram(
    canvas: np.ndarray,
    panel: Panel,
    magnitude: np.ndarray,
    has_axis: bool,
    brightest: float | None = None,
) -> None:
    """A second of sound with its time below and, with an axis, 0 to 8 kHz on the left."""
    left, top, width, height = panel
    put(canvas, panel, spectrogram_picture(magnitude, brightest))
    below = top + height + 5
    draw_text(canvas, (left, below), "0", FAINT)
    draw_ending(canvas, (left + width, below), "1 s", FAINT)
    if has_axis:
        for label, share in (("8", 0.0), ("4", 0.5), ("kHz", 1.0)):
            row = top + round(share * (height - 8))
            draw_ending(canvas, (left - 4, row), label, FAINT)


def draw_scale(canvas: np.ndarray, panel: Panel) -> None:
    """What the colours of spectrograms mean, in dB below the loudest point."""
    left, top, width, height = panel
    levels = np.linspace(1, 0, height)
    canvas[top : top + height, left : left + width] = heat(levels)[:, None]
    for share in (0.0, 1 / 3, 2 / 3, 1.0):
        text = f"{-RANGE_DB * share:.0f}" if share else "0 dB"
        draw_text(canvas, (left + width + 3, top + round(share * (height - 8))), text, FAINT)


def draw_series(
    canvas: np.ndarray, panel: Panel, values: Sequence[float], axis: Axis, colour: Colour
) -> None:
    """A value at every step so far; the last is marked, and gaps (NaN) are left out."""
    left, top, width, height = panel
    canvas[top : top + height, left : left + width] = GRID
    canvas[top + 1 : top + height - 1, left + 1 : left + width - 1] = WHITE
    low, high = value_range(values, axis.unit)

    def place(step: int, value: float) -> tuple[float, float]:
        across = left + 4 + (width - 8) * step / max(axis.last, 1)
        return across, top + 2 + (height - 4) * (high - value) / (high - low)

    for value in (low, 0.0, high):
        row = round(place(0, value)[1])
        if value == 0:
            canvas[row, left : left + width] = FAINT
        draw_ending(canvas, (left - 4, row - 4), f"{value:g}", FAINT)
    known = [place(step, value) for step, value in enumerate(values) if np.isfinite(value)]
    for start, end in pairwise(known):
        draw_line(canvas, start, end, 2.0, colour)
    if known:
        draw_disc(canvas, known[-1], 4.0, INK)


def value_range(values: Sequence[float], unit: float) -> tuple[float, float]:
    """Multiples of `unit` between which all finite values lie, one on either side of 0 at least."""
    finite = [value for value in values if np.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return -unit * max(1, np.ceil(-low / unit)), unit * max(1, np.ceil(high / unit))


def draw_ending(canvas: np.ndarray, corner: tuple[int, int], text: str, colour: Colour) -> None:
    """A line of small letters that ends at a column; `corner` is its top right."""
    right, top = corner
    draw_text(canvas, (right - text_mask(text).shape[1] + 2 * CUT, top), text, colour)
