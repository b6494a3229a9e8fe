"""The plot of an experiment: a line for each agent, with 95 % intervals."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.experiments.scores import Mean
from av_envs.vision.drawing import Colour, draw_disc, draw_line, draw_ring, draw_text
from av_envs.whole_files import replacing

WIDTH, HEIGHT = 760, 420  # pixels
LEFT, RIGHT, TOP, BOTTOM = 60, 210, 44, 60  # margins; the names stand on the right
LETTER, ROW = 6, 20  # pixels: width of a letter, height of a line of the legend
INK, GRID, WHITE = (40, 40, 40), (225, 225, 225), (255, 255, 255)
COLOURS: tuple[Colour, ...] = (  # told apart by all eyes: Okabe and Ito, 2008
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (120, 120, 120),
)
MOST_LINES = 8  # of the grid
BESIDE = 7  # pixels between the marks of two agents in a column
CAP = 3  # pixels, half the width of the ends of an interval

Rows = dict[str, dict[str, Mean]]  # by agent and column


def save_plot(path: Path, title: str, axis: str, rows: Rows, refined: Rows | None = None) -> None:
    """Write the picture as PNG; see `drawn`."""
    from PIL import Image  # of the extra [mesh]; `check_can_draw`

    picture = Image.fromarray(drawn(title, axis, rows, refined)).quantize(64)
    try:
        with replacing(path) as draft:
            picture.save(draft, format="PNG", optimize=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def check_can_draw() -> None:
    """Raises a UserError that says how to get what writes PNG files."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        raise UserError("plots need Pillow: pip install pillow") from None


def drawn(title: str, axis: str, rows: Rows, refined: Rows | None = None) -> np.ndarray:
    """(420, 760, 3) uint8.

    rows     means of each agent in each column; an agent with the first column only gets a level
             broken line
    refined  the same with hindsight, as open marks beside thin lines; agents without are left out
    """
    canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    columns = list(next(iter(rows.values())))
    every = [
        mean for part in (rows, refined or {}) for row in part.values() for mean in row.values()
    ]
    ticks = ticks_of(every)
    _text(canvas, (LEFT, 14), title)
    _frame(canvas, columns, axis, ticks)
    for k, (agent, row) in enumerate(rows.items()):
        colour, height = COLOURS[k % len(COLOURS)], TOP + 10 + ROW * k
        shift = BESIDE * (k - (len(rows) - 1) / 2)
        _series(canvas, row, ticks, shift, colour)
        if refined is not None:
            _series(canvas, refined[agent], ticks, shift, colour, is_open=True)
        start = WIDTH - RIGHT + 14
        draw_line(canvas, (start, height), (start + 18, height), 2, colour)
        draw_disc(canvas, (start + 9, height), 3.5, colour)
        _text(canvas, (start + 26, height - 3), agent[: (RIGHT - 44) // LETTER])
    if refined is not None and any(mean.n for row in refined.values() for mean in row.values()):
        _open_mark(canvas, (WIDTH - RIGHT + 23, TOP + 10 + ROW * len(rows)), INK)
        _text(canvas, (WIDTH - RIGHT + 40, TOP + 7 + ROW * len(rows)), "with hindsight")
    return canvas


def ticks_of(every: Iterable[Mean]) -> np.ndarray:
    """Round numbers, evenly spaced, that enclose all means and intervals."""
    shown = [end for mean in every for end in (mean.value, mean.low, mean.high) if end is not None]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    span = max(high - low, 1e-3)
    scale = 10.0 ** np.floor(np.log10(span / MOST_LINES))
    step = next(scale * k for k in (1, 2, 5, 10, 20) if span / (scale * k) <= MOST_LINES - 2)
    first = np.floor(low / step)
    return step * np.arange(first, max(np.ceil(high / step), first + 1) + 0.5)


def _frame(canvas: np.ndarray, columns: list[str], axis: str, ticks: np.ndarray) -> None:
    digits = max(0, -int(np.floor(np.log10(ticks[1] - ticks[0]) + 1e-9)))
    for value in ticks:
        row = _height(value, ticks)
        draw_line(canvas, (LEFT, row), (WIDTH - RIGHT, row), 1, GRID)
        label = f"{value + 0.0:.{digits}f}"
        _text(canvas, (LEFT - 8 - LETTER * len(label), int(row) - 3), label)
    for k, column in enumerate(columns):
        middle = _place(k, len(columns))
        _text(canvas, (int(middle) - LETTER * len(column) // 2, HEIGHT - BOTTOM + 10), column)
    middle = (LEFT + WIDTH - RIGHT) // 2 - LETTER * len(axis) // 2
    _text(canvas, (max(middle, 8), HEIGHT - 22), axis)


def _series(
    canvas: np.ndarray,
    row: dict[str, Mean],
    ticks: np.ndarray,
    shift: float,
    colour: Colour,
    is_open: bool = False,
) -> None:
    points = [
        (_place(k, len(row)) + shift, mean)
        for k, mean in enumerate(row.values())
        if mean.value is not None
    ]
    for (here, one), (there, other) in pairwise(points):
        start, end = (here, _height(one.value, ticks)), (there, _height(other.value, ticks))
        draw_line(canvas, start, end, 1 if is_open else 2, colour)
    if len(points) == 1 < len(row):
        _dashes(canvas, points[0][0], _height(points[0][1].value, ticks), colour)
    for column, mean in points:
        if mean.low is not None:
            low, high = _height(mean.low, ticks), _height(mean.high, ticks)
            draw_line(canvas, (column, low), (column, high), 1, colour)
            for end in (low, high):
                draw_line(canvas, (column - CAP, end), (column + CAP, end), 1, colour)
        place = column, _height(mean.value, ticks)
        if is_open:
            _open_mark(canvas, place, colour)
        else:
            draw_disc(canvas, place, 3.5, colour)


def _open_mark(canvas: np.ndarray, place: tuple[float, float], colour: Colour) -> None:
    draw_disc(canvas, place, 4.0, WHITE)
    draw_ring(canvas, place, 3.5, 1.5, colour)


def _dashes(canvas: np.ndarray, start: float, row: float, colour: Colour) -> None:
    for column in np.arange(start, WIDTH - RIGHT - 6, 12):
        draw_line(canvas, (column, row), (column + 6, row), 1.5, colour)


def _place(k: int, n: int) -> float:
    """Pixel column of the middle of column k of n."""
    return LEFT + (k + 0.5) / n * (WIDTH - LEFT - RIGHT)


def _height(value: float, ticks: np.ndarray) -> float:
    """Pixel row of a value."""
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _text(canvas: np.ndarray, corner: tuple[int, int], text: str) -> None:
    draw_text(canvas, corner, text.encode("ascii", "replace").decode(), INK)
