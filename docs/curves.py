"""The curves of docs/learnability.md: `python -m docs.curves` draws those of docs/learnability/."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from av_envs.vision.drawing import Colour, draw_line, draw_text
from docs.tables import read_boards

HERE = Path(__file__).parent
WIDTH, HEIGHT = 520, 360  # pixels of a panel
LEFT, RIGHT, TOP, BOTTOM = 52, 24, 34, 40  # its margins
INK, GRID = (40, 40, 40), (225, 225, 225)


class Panel(NamedTuple):
    """One diagram.

    title   above it
    scale   factor of the returns in the files
    top     highest value shown; the lowest is `bottom`
    steps   at the right edge
    files   names in docs/learnability, each with a colour
    suite   board of the test dwellings, whose rows are compared with
    metric  of that board; "score" is what ranks
    levels  agents on it
    legend  the value beside which the names begin
    """

    title: str
    scale: float
    bottom: float
    top: float
    every: float
    steps: int
    files: dict[str, Colour]
    suite: str
    metric: str
    levels: tuple[str, ...]
    legend: float


PANELS = (
    Panel(
        "SI-SDR gain, dB, unseen houses",
        1 / 20,
        -0.4,
        1.4,
        0.2,
        1_000_000,
        {
            "told where the target is": (200, 90, 20),
            "listens": (20, 90, 180),
            "listens, seed 1": (120, 170, 220),
        },
        "sep-near-unheard-v2",
        "score",
        ("Oracle", "DoA", "StandInPlace", "Random"),
        0.5,
    ),
    Panel(
        "share of a flat covered in 250 steps",
        1.0,
        0.0,
        1.0,
        0.2,
        300_000,
        {"paid for own finds": (20, 90, 180), "paid as a team": (120, 170, 220)},
        "rir-replica-like-v2",
        "cr",
        ("SpreadOut", "Random"),
        0.25,
    ),
)


def main() -> None:
    from PIL import Image  # extra [test]

    picture = np.concatenate([drawn(panel) for panel in PANELS], axis=1)
    path = HERE / "learnability.png"
    Image.fromarray(picture).quantize(64).save(path, optimize=True)
    print(path)


def levels(panel: Panel) -> dict[str, float]:
    """What agents reach on the board, as docs/results has it."""
    rows = {row["agent"]: row for row in read_boards()[panel.suite]}
    of_score = panel.metric == "score"
    return {
        name: rows[name]["score"] if of_score else rows[name]["metrics"][panel.metric]
        for name in panel.levels
    }


def drawn(panel: Panel) -> np.ndarray:
    """(360, 520, 3) uint8"""
    canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    draw_text(canvas, (LEFT, 10), panel.title, INK)

    def place(steps: float, value: float) -> tuple[float, float]:
        share = (value - panel.bottom) / (panel.top - panel.bottom)
        return (
            LEFT + steps / panel.steps * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM),
        )

    for value in np.arange(panel.bottom, panel.top + 1e-9, panel.every):
        start, end = place(0, value), place(panel.steps, value)
        draw_line(canvas, start, end, 1, GRID)
        draw_text(canvas, (8, int(start[1]) - 4), f"{value:4.1f}", INK)
    for steps in range(0, panel.steps + 1, panel.steps // 5):
        column, row = place(steps, panel.bottom)
        draw_text(canvas, (int(column) - 14, int(row) + 8), f"{steps // 1000}k", INK)
    draw_text(canvas, (WIDTH // 2 - 20, HEIGHT - 16), "steps", INK)
    for name, value in levels(panel).items():
        _dashes(canvas, place(0, value), place(panel.steps, value))
        column, row = place(panel.steps, value)
        draw_text(canvas, (int(column) - 8 * len(name), int(row) - 12), name, (120, 120, 120))
    for row, (name, colour) in enumerate(panel.files.items()):
        points = [place(steps, panel.scale * value) for steps, value in curve(name)]
        for start, end in pairwise(points):
            draw_line(canvas, start, end, 2, colour)
        draw_text(canvas, (WIDTH - 220, int(place(0, panel.legend)[1]) + 14 * row), name, colour)
    return canvas


def curve(name: str) -> list[tuple[int, float]]:
    """Steps and mean return on unseen houses, of a run in docs/learnability."""
    path = HERE / "learnability" / f"{name.replace(', ', '-').replace(' ', '-')}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["steps"]), float(row["val_return"])) for row in csv.DictReader(file)]


def _dashes(canvas: np.ndarray, start: Sequence[float], end: Sequence[float]) -> None:
    for column in np.arange(start[0], end[0], 10):
        draw_line(canvas, (column, start[1]), (column + 4, start[1]), 1, (150, 150, 150))


if __name__ == "__main__":
    main()
