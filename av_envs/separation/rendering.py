"""One picture per step of an episode: the map, the view and what is heard.

Colours are those of Okabe and Ito, "Color Universal Design", 2008, which people with
any colour vision can tell apart; things on the map differ in shape as well.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.scene.scene import Scene
from av_envs.vision.drawing import (
    Colour,
    Point,
    draw_convex,
    draw_disc,
    draw_line,
    draw_mask,
    draw_ring,
    draw_text,
)
from av_envs.vision.font import text_mask
from av_envs.vision.topdown import TopDownMap, top_down_map

WIDTH, HEIGHT = 992, 608  # pixels; multiples of 16, as video codecs like them
HEADER = 36  # height of the line of text on top
MAP = (16, 48, 560, 516)  # left, top, width, height of the panel
LEGEND_ROW = 578
VIEW = (592, 48, 384, 384)
MIXTURE, TARGET = (592, 464, 186, 128), (790, 464, 186, 128)

PAPER: Colour = (250, 250, 248)
INK: Colour = (38, 42, 50)
WHITE: Colour = (255, 255, 255)
BLUE: Colour = (0, 114, 178)  # the agent and where it walked
PALE_BLUE: Colour = (150, 196, 224)
VERMILION: Colour = (213, 94, 0)  # the target
PURPLE: Colour = (170, 68, 130)  # the other sources
ROOM_NAME: Colour = (110, 112, 118)
AGENT_RADIUS, SOURCE_RADIUS = 8.0, 9.0
LEGEND = ("agent", "start", "target", "other sound")

QUIET_DB, LOUD_DB = -30.0, 30.0  # of spectrogram magnitudes, from black to bright
# "inferno" by Smith and van der Walt (CC0), every eighth of the way; lightness rises evenly.
_INFERNO = (
    (0, 0, 4), (33, 12, 74), (87, 16, 110), (138, 34, 106), (188, 55, 84),
    (228, 90, 49), (249, 142, 9), (249, 203, 53), (252, 255, 164),
)  # fmt: skip


class _Background(NamedTuple):
    """What no step changes: canvas (H, W, 3) uint8, and the map with its place on the canvas."""

    canvas: np.ndarray
    plan: TopDownMap
    corner: tuple[int, int]

    def place(self, position: np.ndarray) -> Point:
        """Where a world position (3,) is on the canvas."""
        column, row = self.plan.world_to_pixel(position) + self.corner
        return float(column), float(row)


def episode_frame(
    scene: Scene,
    trajectory: Sequence[tuple[int, int]],
    source_nodes: Sequence[int],
    view_rgb: np.ndarray,
    mixture: np.ndarray,
    target: np.ndarray,
    caption: str,
) -> np.ndarray:
    """(608, 992, 3) uint8: the map on the left, view and spectrograms on the right.

    trajectory    (node, heading) of every step so far; the first is the start, the last is now
    source_nodes  where the sources are, the target first
    view_rgb      (S, S, 3) uint8, what the agent sees
    mixture       (2, 512, 32) float32, log1p magnitude at both ears
    target        (512, 32) float32, magnitude of the dry target
    caption       one line of printable ASCII, e.g. step, SI-SDR, gain and class
    """
    if len(trajectory) == 0:
        raise ValueError("trajectory must hold the start pose at least, got no pose")
    background = _background(scene)
    canvas = background.canvas.copy()
    draw_text(canvas, (16, 11), caption, WHITE, scale=2)
    heads = scene.graph.positions
    path = [background.place(heads[node]) for node, _ in trajectory]
    _draw_path(canvas, path)
    for source in source_nodes[1:]:
        _draw_other_source(canvas, background.place(heads[source]))
    if len(source_nodes):
        _draw_target(canvas, background.place(heads[source_nodes[0]]))
    _draw_start(canvas, path[0])
    _draw_agent(canvas, path[-1], trajectory[-1][1])
    _put(canvas, VIEW, view_rgb)
    heard = np.expm1(mixture)
    _put(canvas, MIXTURE, spectrogram_picture(np.sqrt(np.square(heard).mean(axis=0))))
    _put(canvas, TARGET, spectrogram_picture(target))
    return canvas


def spectrogram_picture(magnitude: np.ndarray) -> np.ndarray:
    """(128, 32, 3) uint8 picture of magnitudes (512, 32), low frequencies at the bottom."""
    loudest = magnitude.reshape(128, 4, -1).max(axis=1)
    decibels = 20 * np.log10(np.maximum(loudest, 1e-6))
    level = np.clip((decibels - QUIET_DB) / (LOUD_DB - QUIET_DB), 0, 1)
    return colour_map()[(255 * level[::-1] + 0.5).astype(np.uint8)]


@lru_cache(maxsize=1)
def colour_map() -> np.ndarray:
    """(256, 3) uint8, from black over red to pale yellow."""
    stops = np.linspace(0, 255, len(_INFERNO))
    channels = [
        np.interp(np.arange(256), stops, channel) for channel in zip(*_INFERNO, strict=True)
    ]
    return np.rint(np.stack(channels, 1)).astype(np.uint8)


@lru_cache(maxsize=4)
def _background(scene: Scene) -> _Background:
    canvas = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    canvas[:] = PAPER
    canvas[:HEADER] = INK
    left, top, width, height = MAP
    size = (scene.bounds[1] - scene.bounds[0])[:2] + 0.7  # the map has a margin of its own
    plan = top_down_map(scene, float(min(width / size[0], height / size[1])))
    rows, columns = plan.picture.shape[:2]
    corner = (left + (width - columns) // 2, top + (height - rows) // 2)
    canvas[corner[1] : corner[1] + rows, corner[0] : corner[0] + columns] = plan.picture
    background = _Background(canvas, plan, corner)
    for room in scene.rooms:
        _draw_room_name(background, room.name, room.bounds)
    _draw_legend(canvas)
    for label, (left, top, _, _) in (("mixture", MIXTURE), ("target, dry", TARGET)):
        draw_text(canvas, (left, top - 20), label, INK, scale=2)
    return background


def _draw_room_name(
    background: _Background, name: str, bounds: tuple[float, float, float, float]
) -> None:
    """On the emptiest stretch of floor near the middle; upright where the room is too narrow."""
    x0, y0, x1, y1 = bounds
    mask = text_mask(name)
    if mask.shape[1] > (x1 - x0) * background.plan.pixels_per_metre - 4 and y1 - y0 > x1 - x0:
        mask = np.rot90(mask)
    half = np.array(mask.shape[::-1]) / 2
    shares = sorted(np.ndindex(9, 9), key=lambda share: np.hypot(share[0] - 4, share[1] - 4))
    corners, unrest = [], []
    for across, along in shares:
        share = 0.5 + 0.08 * (np.array([across, along]) - 4)
        middle = background.place(np.array([x0, y0]) + share * np.array([x1 - x0, y1 - y0]))
        left, top = np.rint(middle - half).astype(int)
        rows, columns = mask.shape
        patch = background.canvas[max(0, top - 3) : top + rows + 3, left - 3 : left + columns + 3]
        corners.append((left, top))
        unrest.append(np.ptp(patch.reshape(-1, 3).astype(int), axis=0).sum())
    draw_mask(background.canvas, corners[int(np.argmin(unrest))], mask, ROOM_NAME)


def _draw_legend(canvas: np.ndarray) -> None:
    column = 28
    for label, draw in zip(
        LEGEND, (_draw_agent, _draw_start, _draw_target, _draw_other_source), strict=True
    ):
        draw(canvas, (column, LEGEND_ROW + 7))
        draw_text(canvas, (column + 18, LEGEND_ROW), label, INK, scale=2)
        column += 18 + text_mask(label, 2).shape[1] + 34


def _draw_path(canvas: np.ndarray, path: Sequence[Point]) -> None:
    """Where the agent walked, older steps paler."""
    for age, (start, end) in enumerate(zip(path[-2::-1], path[:0:-1], strict=True)):
        if start != end:
            share = max(0.0, 1 - age / 20)
            colour = tuple(
                round(pale + share * (full - pale))
                for pale, full in zip(PALE_BLUE, BLUE, strict=True)
            )
            draw_line(canvas, start, end, 3.5, colour)
            draw_disc(canvas, start, 3.5, colour)


def _draw_agent(canvas: np.ndarray, place: Point, heading: int = 1) -> None:
    """A disc with a nose that points along the heading."""
    forward = np.array([(1, 0), (0, -1), (-1, 0), (0, 1)][heading])
    sideways = np.array([-forward[1], forward[0]])
    for colour, grown in ((WHITE, 2.0), (BLUE, 0.0)):
        radius = AGENT_RADIUS - 1 + grown
        nose = np.stack(
            [
                (AGENT_RADIUS + 6 + 1.5 * grown) * forward,
                radius * sideways + 0.5 * forward,
                -radius * sideways + 0.5 * forward,
            ]
        )
        draw_convex(canvas, nose + place, colour)
        draw_disc(canvas, place, radius, colour)
    draw_disc(canvas, place, 2.5, WHITE)


def _draw_start(canvas: np.ndarray, place: Point) -> None:
    """A blue ring."""
    draw_disc(canvas, place, 8.0, WHITE)
    draw_ring(canvas, place, 6.0, 2.5, BLUE)


def _draw_target(canvas: np.ndarray, place: Point) -> None:
    """A disc within a ring, like a loudspeaker."""
    draw_disc(canvas, place, SOURCE_RADIUS + 3, WHITE)
    draw_ring(canvas, place, SOURCE_RADIUS + 0.5, 2.5, VERMILION)
    draw_disc(canvas, place, SOURCE_RADIUS - 3.5, VERMILION)


def _draw_other_source(canvas: np.ndarray, place: Point) -> None:
    """A diamond."""
    diamond = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    draw_convex(canvas, (SOURCE_RADIUS + 3.5) * diamond + place, WHITE)
    draw_convex(canvas, (SOURCE_RADIUS + 0.5) * diamond + place, PURPLE)


def _put(canvas: np.ndarray, panel: tuple[int, int, int, int], picture: np.ndarray) -> None:
    """Copy a picture (h, w, 3) into a panel, every pixel enlarged to a rectangle."""
    left, top, width, height = panel
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    canvas[top : top + height, left : left + width] = picture[:, columns][rows]
