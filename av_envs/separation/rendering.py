"""One picture per step of an episode: the map, the view, what is heard and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    VERMILION,
    WHITE,
    PlacedMap,
    blank_canvas,
    draw_body,
    draw_caption,
    draw_legend,
    draw_map,
    put,
)
from av_envs.vision.plots import Axis, draw_scale, draw_series, draw_spectrogram

MAP = (16, 48, 560, 516)  # left, top, width, height of the panel
LEGEND_ROW = 578
VIEW = (592, 48, 256, 256)
FACTS = (866, 52)
LABEL_ROWS = 16  # pixels from a label to its spectrogram
FACT_HEIGHT = 62  # pixels from one fact to the next
MIXTURE, ESTIMATE, TARGET = (618, 332, 96, 128), (728, 332, 96, 128), (838, 332, 96, 128)
SCALE = (942, 332, 8, 128)  # what the colours mean
CURVE = (618, 506, 358, 84)

GREY: Colour = (110, 112, 118)
INK: Colour = (38, 42, 50)
PALE_BLUE: Colour = (150, 196, 224)
PURPLE: Colour = (170, 68, 130)  # the other sources
SOURCE_RADIUS = 9.0


@dataclass(frozen=True)
class FrameContent:
    """What a picture shows.

    trajectory    (node, heading) of every step so far; the first is the start, the last is now
    source_nodes  where the sources are, the target first
    view          (S, S, 3) uint8, what the agent sees
    mixture       (2, 512, 32) float32, magnitude at both ears
    estimate      (512, 32) float32, magnitude of what is scored; None where it is unknown
    target        (512, 32) float32, magnitude of the dry target
    history       dB that each step so far was worth, NaN where it was not scored
    worth         name of those, such as "SI-SDR gain"
    steps         of the whole episode
    caption       one line of printable ASCII, e.g. step and class
    estimate_title
                  what the estimate is called: an agent's own is of the second before
    facts         (name, value) of printable ASCII, at most four, told in large letters
    """

    scene: Scene
    trajectory: Sequence[tuple[int, int]]
    source_nodes: Sequence[int]
    view: np.ndarray
    mixture: np.ndarray
    estimate: np.ndarray | None
    target: np.ndarray
    history: Sequence[float]
    worth: str
    steps: int
    caption: str
    estimate_title: str = "scored"
    facts: Sequence[tuple[str, str]] = ()

    def __post_init__(self):
        if len(self.trajectory) == 0:
            raise ValueError("trajectory must hold the start pose at least, got no pose")


def episode_frame(shown: FrameContent) -> np.ndarray:
    """(608, 992, 3) uint8: the map on the left, view, spectrograms and scores on the right.

    Each spectrogram is of one second, 0 to 8 kHz, and all have one scale: dB below the loudest
    point of the same picture, since a scaled estimate is worth the same.
    """
    background, placed = _background(shown.scene)
    canvas = background.copy()
    draw_caption(canvas, shown.caption)
    _draw_places(canvas, placed, shown)
    put(canvas, VIEW, shown.view)
    left, top = FACTS
    for k, (name, value) in enumerate(shown.facts):
        draw_text(canvas, (left, top + k * FACT_HEIGHT), name, GREY)
        draw_text(canvas, (left, top + k * FACT_HEIGHT + 17), value, INK, scale=2)
    left, top, _, _ = ESTIMATE
    draw_text(canvas, (left, top - LABEL_ROWS), shown.estimate_title, INK)
    both_ears = np.sqrt(np.square(shown.mixture).mean(axis=0))
    for panel, magnitude in (
        (MIXTURE, both_ears),
        (ESTIMATE, shown.estimate),
        (TARGET, shown.target),
    ):
        if magnitude is not None:
            draw_spectrogram(canvas, panel, magnitude, has_axis=panel is MIXTURE)
    title = f"{shown.worth}, dB, at every step"
    draw_text(canvas, (CURVE[0], CURVE[1] - 20), title, INK)
    draw_series(canvas, CURVE, shown.history, Axis(shown.steps, unit=5.0), BLUE)
    return canvas


@lru_cache(maxsize=4)
def _background(scene: Scene) -> tuple[np.ndarray, PlacedMap]:
    """What no step changes: canvas (H, W, 3) uint8, and the map on it."""
    canvas = blank_canvas()
    placed = draw_map(canvas, scene, MAP)
    draw_legend(canvas, (28, LEGEND_ROW), LEGEND)
    for label, (left, top, _, _) in (("heard", MIXTURE), ("target, dry", TARGET)):
        draw_text(canvas, (left, top - LABEL_ROWS), label, INK)
    draw_scale(canvas, SCALE)
    return canvas, placed


def _draw_places(canvas: np.ndarray, placed: PlacedMap, shown: FrameContent) -> None:
    """The walk, the sources, the start and the agent on the map."""
    positions = shown.scene.graph.positions
    path = [placed.place(positions[node]) for node, _ in shown.trajectory]
    _draw_path(canvas, path)
    for source in shown.source_nodes[1:]:
        _draw_other_source(canvas, placed.place(positions[source]))
    if len(shown.source_nodes):
        _draw_target(canvas, placed.place(positions[shown.source_nodes[0]]))
    _draw_start(canvas, path[0])
    _draw_agent(canvas, path[-1], shown.trajectory[-1][1])


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
