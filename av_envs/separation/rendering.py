"""One picture per step of an episode: the map, the view and what is heard."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from av_envs.scene.scene import Scene
from av_envs.vision.drawing import (
    Colour,
    Point,
    draw_convex,
    draw_disc,
    draw_line,
    draw_ring,
    draw_text,
)
from av_envs.vision.panels import (
    BLUE,
    INK,
    VERMILION,
    WHITE,
    PlacedMap,
    blank_canvas,
    draw_body,
    draw_caption,
    draw_legend,
    draw_map,
    heat,
    put,
)

MAP = (16, 48, 560, 516)  # left, top, width, height of the panel
LEGEND_ROW = 578
VIEW = (592, 48, 384, 384)
MIXTURE, TARGET = (592, 464, 186, 128), (790, 464, 186, 128)

PALE_BLUE: Colour = (150, 196, 224)
PURPLE: Colour = (170, 68, 130)  # the other sources
SOURCE_RADIUS = 9.0

QUIET_DB, LOUD_DB = -30.0, 30.0  # of spectrogram magnitudes, from black to bright


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
    background, placed = _background(scene)
    canvas = background.copy()
    draw_caption(canvas, caption)
    heads = scene.graph.positions
    path = [placed.place(heads[node]) for node, _ in trajectory]
    _draw_path(canvas, path)
    for source in source_nodes[1:]:
        _draw_other_source(canvas, placed.place(heads[source]))
    if len(source_nodes):
        _draw_target(canvas, placed.place(heads[source_nodes[0]]))
    _draw_start(canvas, path[0])
    _draw_agent(canvas, path[-1], trajectory[-1][1])
    put(canvas, VIEW, view_rgb)
    heard = np.expm1(mixture)
    put(canvas, MIXTURE, spectrogram_picture(np.sqrt(np.square(heard).mean(axis=0))))
    put(canvas, TARGET, spectrogram_picture(target))
    return canvas


def spectrogram_picture(magnitude: np.ndarray) -> np.ndarray:
    """(128, 32, 3) uint8 picture of magnitudes (512, 32), low frequencies at the bottom."""
    loudest = magnitude.reshape(128, 4, -1).max(axis=1)
    decibels = 20 * np.log10(np.maximum(loudest, 1e-6))
    return heat((decibels[::-1] - QUIET_DB) / (LOUD_DB - QUIET_DB))


@lru_cache(maxsize=4)
def _background(scene: Scene) -> tuple[np.ndarray, PlacedMap]:
    """What no step changes: canvas (H, W, 3) uint8, and the map on it."""
    canvas = blank_canvas()
    placed = draw_map(canvas, scene, MAP)
    draw_legend(canvas, (28, LEGEND_ROW), LEGEND)
    for label, (left, top, _, _) in (("mixture", MIXTURE), ("target, dry", TARGET)):
        draw_text(canvas, (left, top - 20), label, INK, scale=2)
    return canvas, placed


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
    """A body with a white heart."""
    draw_body(canvas, place, heading, BLUE)
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


LEGEND = (
    ("agent", _draw_agent),
    ("start", _draw_start),
    ("target", _draw_target),
    ("other sound", _draw_other_source),
)
