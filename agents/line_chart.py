"""A figure of lines with axes, for what commands compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from av_envs.vision.drawing import Colour, draw_disc, draw_line, draw_text

WIDTH, HEIGHT = 640, 400  # pixels
LEFT, RIGHT, TOP, BOTTOM = 60, 120, 40, 44  # margins
INK, GRID = (40, 40, 40), (225, 225, 225)

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class LineChart:
    """What a chart says beside its lines.

    title, below  above it, and under its lower axis
    across        values at the ends of the lower axis
    ticks         values that stand at the lower axis
    levels        values that stand at the left axis, the first and the last at its ends
    dots          whether every point is marked
    names         what stands at the ticks, if not their values
    """

    title: str
    below: str
    across: tuple[float, float]
    ticks: Sequence[float]
    levels: Sequence[float]
    dots: bool = False
    names: Sequence[str] = ()

    def draw(
        self, lines: Mapping[str, Sequence[Points]], colours: Mapping[str, Colour]
    ) -> np.ndarray:
        """(400, 640, 3) uint8; lines of a name share its colour."""
        canvas = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        draw_text(canvas, (LEFT, 12), self.title, INK)
        self._draw_axes(canvas)
        for k, (name, several) in enumerate(lines.items()):
            for points in several:
                places = [self._place(*point) for point in points]
                for start, end in pairwise(places):
                    draw_line(canvas, start, end, 2, colours[name])
                for place in places if self.dots else ():
                    draw_disc(canvas, place, 3, colours[name])
            draw_text(canvas, (WIDTH - RIGHT + 12, TOP + 16 * k), name, colours[name])
        return canvas

    def _draw_axes(self, canvas: np.ndarray) -> None:
        first, last = self.across
        for level in self.levels:
            start = self._place(first, level)
            draw_line(canvas, start, self._place(last, level), 1, GRID)
            draw_text(canvas, (8, int(start[1]) - 6), f"{level:.4g}", INK)
        names = self.names or [f"{tick:.0f}" for tick in self.ticks]
        for tick, name in zip(self.ticks, names, strict=True):
            column = int(self._place(tick, self.levels[0])[0])
            draw_text(canvas, (column - 3 * len(name), HEIGHT - 38), name, INK)
        draw_text(canvas, (LEFT + 100, HEIGHT - 20), self.below, INK)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        first, last = self.across
        low, high = self.levels[0], self.levels[-1]
        return (
            LEFT + (x - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM),
        )


def round_levels(low: float, high: float, lines: int) -> np.ndarray:
    """About so many multiples of 1, 2 or 5 times a power of ten, within which both values lie."""
    least = max((high - low) / lines, 1e-3)
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
    first, last = np.floor(low / step), np.ceil(high / step)
    return step * np.arange(first, max(last, first + 1) + 1)
