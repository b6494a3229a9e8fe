"""Smooth shapes and letters on a picture. All functions paint into `canvas` (H, W, 3) uint8.

Places are (column, row) in pixels; pixel 0 spans 0 to 1. What lies outside is left out.
"""

from collections.abc import Callable

import numpy as np

from av_envs.vision.font import CUT, text_mask

Point = tuple[float, float]
Colour = tuple[int, int, int]


def draw_disc(canvas: np.ndarray, centre: Point, radius: float, colour: Colour) -> None:
    """A filled circle."""
    box = _box([centre], radius)
    _fill(canvas, box, lambda x, y: radius - np.hypot(x - centre[0], y - centre[1]), colour)


def draw_ring(
    canvas: np.ndarray, centre: Point, radius: float, width: float, colour: Colour
) -> None:
    """A circle line of this width, `radius` to its middle."""

    def inside(x, y):
        return width / 2 - np.abs(np.hypot(x - centre[0], y - centre[1]) - radius)

    _fill(canvas, _box([centre], radius + width), inside, colour)


def draw_line(canvas: np.ndarray, start: Point, end: Point, width: float, colour: Colour) -> None:
    """A straight line with round ends."""
    ax, ay = start
    bx, by = end[0] - ax, end[1] - ay
    length = max(bx * bx + by * by, 1e-9)

    def inside(x, y):
        along = np.clip(((x - ax) * bx + (y - ay) * by) / length, 0, 1)
        return width / 2 - np.hypot(x - ax - along * bx, y - ay - along * by)

    _fill(canvas, _box([start, end], width), inside, colour)


def draw_convex(canvas: np.ndarray, corners: np.ndarray, colour: Colour) -> None:
    """A filled convex polygon with corners (n, 2), in either turning direction."""
    corners = np.asarray(corners, float)
    sides = np.roll(corners, -1, axis=0) - corners
    outwards = np.stack([sides[:, 1], -sides[:, 0]], 1) / np.hypot(*sides.T)[:, None]
    if ((corners.mean(axis=0) - corners) * outwards).sum() > 0:
        outwards = -outwards

    def inside(x, y):
        distances = [
            (px - x) * nx + (py - y) * ny
            for (px, py), (nx, ny) in zip(corners, outwards, strict=True)
        ]
        return np.minimum.reduce(distances)

    _fill(canvas, _box(corners, 0), inside, colour)


def draw_text(
    canvas: np.ndarray, corner: tuple[int, int], text: str, colour: Colour, scale: int = 1
) -> None:
    """One line of letters; `corner` is the top left of a capital that it begins with."""
    left, top = corner
    draw_mask(canvas, (left - CUT, top - CUT), text_mask(text, scale), colour)


def draw_mask(
    canvas: np.ndarray, corner: tuple[int, int], mask: np.ndarray, colour: Colour
) -> None:
    """The True pixels of a mask (h, w) in one colour; `corner` is its top left.

    A mask of uint8 says how much of each pixel is covered, 255 all of it.
    """
    left, top = corner
    rows, columns = np.nonzero(mask)
    shares = mask[rows, columns] / (1.0 if mask.dtype == bool else 255.0)
    rows, columns = rows + top, columns + left
    seen = (rows >= 0) & (rows < canvas.shape[0]) & (columns >= 0) & (columns < canvas.shape[1])
    place = rows[seen], columns[seen]
    before = canvas[place]
    blended = before + shares[seen, None] * (np.array(colour) - before)
    canvas[place] = (blended + 0.5).astype(np.uint8)


def _box(points, reach: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of whole pixels around the points and `reach` beyond."""
    left, top = np.floor(np.min(points, axis=0) - reach - 1).astype(int)
    right, bottom = np.ceil(np.max(points, axis=0) + reach + 1).astype(int)
    return left, top, right, bottom


def _fill(
    canvas: np.ndarray,
    box: tuple[int, int, int, int],
    inside: Callable[[np.ndarray, np.ndarray], np.ndarray],
    colour: Colour,
) -> None:
    """Blend in `colour`; `inside` gives how many pixels a place lies within the outline."""
    height, width = canvas.shape[:2]
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], width), min(box[3], height)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right) + 0.5
    y = np.arange(top, bottom)[:, None] + 0.5
    share = np.clip(inside(x, y) + 0.5, 0, 1)[..., None]
    patch = canvas[top:bottom, left:right]
    patch[:] = (patch + share * (np.array(colour) - patch) + 0.5).astype(np.uint8)
