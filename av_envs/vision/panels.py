"""Layout of rendered frames: canvas, colours, map panel, captions and legend.

Colours are those of Okabe and Ito, "Color Universal Design", 2008, which people with
any colour vision can tell apart; things on the map differ in shape as well.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.conventions import HEADING_STEPS
from av_envs.scene.scene import Scene
from av_envs.vision.drawing import Colour, Point, draw_convex, draw_disc, draw_mask, draw_text
from av_envs.vision.font import text_mask, trimmed
from av_envs.vision.topdown import TopDownMap, top_down_map

Panel = tuple[int, int, int, int]  # left, top, width, height in pixels

WIDTH, HEIGHT = 992, 608  # pixels; multiples of 16, as video codecs like them
HEADER = 36  # height of the line of text on top

PAPER: Colour = (250, 250, 248)
INK: Colour = (38, 42, 50)
WHITE: Colour = (255, 255, 255)
ROOM_NAME: Colour = (110, 112, 118)
BLUE: Colour = (0, 114, 178)
ORANGE: Colour = (230, 159, 0)
GREEN: Colour = (0, 158, 115)
REDDISH: Colour = (204, 121, 167)
SKY: Colour = (86, 180, 233)
VERMILION: Colour = (213, 94, 0)
BODY_RADIUS = 8.0  # pixels
FORWARD = tuple((east, -north) for east, north in HEADING_STEPS)  # column, row one pixel ahead

# "inferno" by Smith and van der Walt (CC0), every eighth of the way; lightness rises evenly.
_INFERNO = (
    (0, 0, 4), (33, 12, 74), (87, 16, 110), (138, 34, 106), (188, 55, 84),
    (228, 90, 49), (249, 142, 9), (249, 203, 53), (252, 255, 164),
)  # fmt: skip


class PlacedMap(NamedTuple):
    """A map and the (column, row) of its top left pixel on the canvas."""

    plan: TopDownMap
    corner: tuple[int, int]

    def place(self, position: np.ndarray) -> Point:
        """(column, row) on the canvas of a world position (2 or more,) in metres."""
        column, row = self.plan.world_to_pixel(position) + self.corner
        return float(column), float(row)


def blank_canvas() -> np.ndarray:
    """(608, 992, 3) uint8: paper under a dark header."""
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = PAPER
    canvas[:HEADER] = INK
    return canvas


def draw_caption(canvas: np.ndarray, caption: str) -> None:
    """One line of printable ASCII into the header."""
    draw_text(canvas, (16, 11), caption, WHITE, scale=2)


def draw_map(canvas: np.ndarray, scene: Scene, panel: Panel) -> PlacedMap:
    """The dwelling with its room names, as large as the panel allows, in its middle."""
    left, top, width, height = panel
    size = (scene.bounds[1] - scene.bounds[0])[:2] + 0.7  # the map has a margin of its own
    plan = top_down_map(scene, float(min(width / size[0], height / size[1])))
    rows, columns = plan.picture.shape[:2]
    corner = (left + (width - columns) // 2, top + (height - rows) // 2)
    canvas[corner[1] : corner[1] + rows, corner[0] : corner[0] + columns] = plan.picture
    placed = PlacedMap(plan, corner)
    for room in scene.rooms:
        _draw_room_name(canvas, placed, room.name, room.bounds)
    return placed


def _draw_room_name(
    canvas: np.ndarray,
    placed: PlacedMap,
    name: str,
    bounds: tuple[float, float, float, float],
) -> None:
    """On the emptiest stretch of floor near the middle; upright where the room is too narrow."""
    x0, y0, x1, y1 = bounds
    mask = trimmed(text_mask(name))
    if mask.shape[1] > (x1 - x0) * placed.plan.pixels_per_metre - 4 and y1 - y0 > x1 - x0:
        mask = np.rot90(mask)
    half = np.array(mask.shape[::-1]) / 2
    shares = sorted(np.ndindex(9, 9), key=lambda share: np.hypot(share[0] - 4, share[1] - 4))
    corners, unrest = [], []
    for across, along in shares:
        share = 0.5 + 0.08 * (np.array([across, along]) - 4)
        middle = placed.place(np.array([x0, y0]) + share * np.array([x1 - x0, y1 - y0]))
        left, top = np.rint(middle - half).astype(int)
        rows, columns = mask.shape
        patch = canvas[max(0, top - 3) : top + rows + 3, left - 3 : left + columns + 3]
        corners.append((left, top))
        unrest.append(np.ptp(patch.reshape(-1, 3).astype(int), axis=0).sum())
    draw_mask(canvas, corners[int(np.argmin(unrest))], mask, ROOM_NAME)


def draw_legend(
    canvas: np.ndarray,
    corner: tuple[int, int],
    entries: Sequence[tuple[str, Callable[[np.ndarray, Point], None]]],
    gap: int = 34,
) -> None:
    """A line of symbols with their names; `corner` is the first symbol's centre and the row
    where the letters begin. Each entry knows how to draw its symbol at a place.
    """
    column, row = corner
    for label, draw in entries:
        draw(canvas, (column, row + 7))
        draw_text(canvas, (column + 18, row), label, INK, scale=2)
        column += 18 + text_mask(label, 2).shape[1] + gap


def draw_body(canvas: np.ndarray, place: Point, heading: int, colour: Colour) -> None:
    """A disc with a nose that points along the heading, outlined in white."""
    forward = np.array(FORWARD[heading])
    sideways = np.array([-forward[1], forward[0]])
    for tone, grown in ((WHITE, 2.0), (colour, 0.0)):
        radius = BODY_RADIUS - 1 + grown
        nose = np.stack(
            [
                (BODY_RADIUS + 6 + 1.5 * grown) * forward,
                radius * sideways + 0.5 * forward,
                -radius * sideways + 0.5 * forward,
            ]
        )
        draw_convex(canvas, nose + place, tone)
        draw_disc(canvas, place, radius, tone)


def put(canvas: np.ndarray, panel: Panel, picture: np.ndarray) -> None:
    """Copy a picture (h, w, 3) into a panel, every pixel enlarged to a rectangle."""
    left, top, width, height = panel
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    canvas[top : top + height, left : left + width] = picture[:, columns][rows]


def put_smoothly(canvas: np.ndarray, panel: Panel, picture: np.ndarray) -> None:
    """A picture (h, w, 3) resized into a panel, interpolated between its pixels."""
    left, top, width, height = panel
    for n, axis in ((height, 0), (width, 1)):
        at = (np.arange(n) + 0.5) * picture.shape[axis] / n - 0.5
        at = np.clip(at, 0, picture.shape[axis] - 1)
        low = np.minimum(at.astype(int), picture.shape[axis] - 2)
        share = np.expand_dims(at - low, (1 - axis, 2)).astype(np.float32)
        first = picture.take(low, axis)
        picture = first + share * (picture.take(low + 1, axis) - first.astype(np.float32))
    canvas[top : top + height, left : left + width] = picture + 0.5


def heat(level: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 colours of levels (...) between 0, black, and 1, pale yellow."""
    return colour_map()[(255 * np.clip(level, 0, 1) + 0.5).astype(np.uint8)]


@lru_cache(maxsize=1)
def colour_map() -> np.ndarray:
    """(256, 3) uint8, from black over red to pale yellow."""
    stops = np.linspace(0, 255, len(_INFERNO))
    channels = [
        np.interp(np.arange(256), stops, channel) for channel in zip(*_INFERNO, strict=True)
    ]
    return np.rint(np.stack(channels, 1)).astype(np.uint8)
