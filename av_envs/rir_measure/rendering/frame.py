"""One picture per step of a measuring episode, after figure 4 of the paper.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from av_envs.acoustics.backend import AcousticBackend
from av_envs.rir_measure.core import scores
from av_envs.rir_measure.hull import hull_nodes
from av_envs.rir_measure.rendering.responses import (
    FAINT,
    SCALE_NOTE,
    draw_decays,
    draw_history,
    draw_response,
)
from av_envs.rir_measure.rendering.seen_area import seen_area
from av_envs.rir_measure.schedule import sub_steps
from av_envs.rir_measure.state import EpisodeState, Pose
from av_envs.scene import Scene
from av_envs.vision.drawing import (
    Colour,
    Point,
    draw_disc,
    draw_line,
    draw_mask,
    draw_ring,
    draw_text,
)
from av_envs.vision.font import text_mask, trimmed
from av_envs.vision.panels import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    REDDISH,
    SKY,
    VERMILION,
    WHITE,
    PlacedMap,
    blank_canvas,
    draw_body,
    draw_caption,
    draw_legend,
    draw_map,
    put_smoothly,
)
from av_envs.vision.plots import draw_ending
from av_envs.vision.topdown import WALL_COLOUR

MAP = (16, 48, 560, 496)  # left, top, width, height of the panel
LEGEND_ROWS = (554, 580)
RIGHT, RIGHT_WIDTH, GAP = 592, 384, 12
VIEW_ROW, VIEW_LABEL, VIEWS_HEIGHT = 50, 22, 220
VIEWS_IN_A_ROW = 4
RESPONSE_LABEL_ROW = 270
COLUMN = (RIGHT_WIDTH - GAP) // 2
MEASURED = ((RIGHT, 290, COLUMN, 86), (RIGHT, 380, COLUMN, 86))  # left and right ear
PREDICTED = tuple((left + COLUMN + GAP, *rest) for left, *rest in MEASURED)
PLOT_LABEL_ROW = 478
DECAY, COVERAGE = (RIGHT, 498, COLUMN, 96), (RIGHT + COLUMN + GAP, 498, COLUMN, 96)

ROBOT_COLOURS = (BLUE, ORANGE, GREEN, REDDISH, VERMILION, SKY)
UNSEEN = 0.62  # brightness of floor that is still unseen
UNSEEN_FLOOR: Colour = (148, 146, 142)  # about that of a pale floor, for the legend
OLDEST = 0.3  # strength of colour of a walk's first step
LEVEL_COLOURS: tuple[Colour, ...] = ((236, 228, 243), (196, 168, 217), (146, 104, 184))
LEVEL_NAMES = ("quiet", "middle", "loud")
SILENCE = 1e-10  # energy floor, -100 dB
LINE = 4  # pixels, width of a walk
DASH, DASH_GAP = 11.0, 8.0  # pixels


@dataclass(frozen=True)
class FrameContent:
    """What a picture of the team shows.

    trajectories     (node, heading) of every step so far, per robot; the last is now
    visited          (N,) bool, nodes where a robot has been
    views            (S, S, 3) uint8, what each robot sees
    measured         (2, n) float32, the first response measured at this step
    predicted        (2, n) float32, what was expected of it; None without a prediction
    levels           (N,) dB, how loud the first emitter is at every node, see `node_levels`:
                     drawn instead of what is unseen yet; None for no such layer
    hull             (n, 2) metres, points around which the hull is drawn, in any order
    history          ratio of visited nodes after every step so far
    caption          one line of printable ASCII, e.g. step, CR, PE and WCR
    fixed_sources    nodes of loudspeakers that stay
    fixed_receivers  (node, heading) of microphones that stay
    """

    scene: Scene
    trajectories: Mapping[str, Sequence[Pose]]
    visited: np.ndarray
    views: Mapping[str, np.ndarray]
    measured: np.ndarray | None
    predicted: np.ndarray | None
    levels: np.ndarray | None
    hull: np.ndarray
    history: Sequence[float]
    caption: str
    fixed_sources: Sequence[int] = ()
    fixed_receivers: Sequence[Pose] = ()

    def __post_init__(self):
        if not self.trajectories or not all(map(len, self.trajectories.values())):
            raise ValueError("trajectories must hold the start pose of every robot at least")


def episode_frame(state: EpisodeState, with_levels: bool = False) -> np.ndarray:
    """The picture of the present step; see `measure_frame`.

    with_levels  show how loud the first emitter is everywhere, which takes a while
    """
    walks, positions = state.trajectories, state.scene.graph.positions
    # before a move nothing was predicted yet for the present poses
    predicted = state.predicted if state.config.timing == "post_move" else None
    levels = None
    if with_levels:
        source, _, heading = state.measurement.nodes[0].tolist()
        levels = node_levels(state.dwelling.acoustics, len(positions), source, heading)
    return measure_frame(
        FrameContent(
            state.scene,
            walks,
            state.visited,
            {robot: state.dwelling.picture(*walk[-1]) for robot, walk in walks.items()},
            state.measurement.rirs[0],
            None if predicted is None else predicted[0],
            levels,
            positions[hull_nodes(walks.values()), :2],
            coverage_so_far(list(walks.values()), len(positions)),
            _caption(state),
            state.drawn.fixed_sources,
            state.drawn.fixed_receivers,
        )
    )


def _caption(state: EpisodeState) -> str:
    said = scores(state)
    numbers = {"CR": said["cr"], "PE": said["pe_mean"], "WCR": said["wcr"]}
    known = [f"{name} {x:.3f}" if np.isfinite(x) else f"{name} -" for name, x in numbers.items()]
    emission = sub_steps(state.roster.links, state.config.robots)[0]
    step = f"step {state.t}/{state.config.steps}"
    return "  ".join([step, *known, f"{emission.emitter} heard by {emission.receivers[0]}"])


def node_levels(acoustics: AcousticBackend, n_nodes: int, source: int, heading: int) -> np.ndarray:
    """(N,) dB, energy of the response from a source to every node, mean over the ears.

    All responses are made for it, which takes some tenths of a second.
    """
    rirs = (acoustics.rir(source, node, heading) for node in range(n_nodes))
    energy = np.array([np.square(rir, dtype=float).sum() / 2 for rir in rirs])
    return 10 * np.log10(energy + SILENCE)


def coverage_so_far(trajectories: Sequence[Sequence[Pose]], n_nodes: int) -> list[float]:
    """Ratio of visited nodes after every step."""
    visited: set[int] = set()
    ratios = []
    for poses in zip(*trajectories, strict=True):
        visited |= {node for node, _ in poses}
        ratios.append(len(visited) / n_nodes)
    return ratios


def measure_frame(shown: FrameContent) -> np.ndarray:
    """(608, 992, 3) uint8: the plan on the left, what is seen, heard and predicted on the right."""
    scene, trajectories, levels = shown.scene, shown.trajectories, shown.levels
    bright, dim, placed = _background(scene)
    canvas = bright.copy()
    places = (placed.plan.world_to_pixel(scene.graph.positions) + placed.corner).tolist()
    if levels is None:
        poses = {pose for trajectory in trajectories.values() for pose in trajectory}
        _dim_unseen(canvas, dim, placed, seen_area(scene, placed.plan, poses))
    else:
        _draw_levels(canvas, placed, places, scene.graph.grid, levels)
    _draw_hull(canvas, placed, shown.hull)
    for node in shown.fixed_sources:
        _draw_loudspeaker(canvas, places[node])
    for node, heading in shown.fixed_receivers:
        draw_body(canvas, places[node], heading, INK)
    _draw_walks(canvas, places, list(trajectories.values()), shown.visited)
    draw_caption(canvas, shown.caption)
    has_fixed = len(shown.fixed_sources) > 0, len(shown.fixed_receivers) > 0
    _draw_legend(canvas, levels is not None, *has_fixed)
    _draw_views(canvas, shown.views)
    draw_response(canvas, MEASURED, shown.measured)
    draw_response(canvas, PREDICTED, shown.predicted)
    draw_decays(canvas, DECAY, ((shown.measured, INK), (shown.predicted, VERMILION)))
    draw_history(canvas, COVERAGE, shown.history, INK)
    return canvas


@lru_cache(maxsize=4)
def _background(scene: Scene) -> tuple[np.ndarray, np.ndarray, PlacedMap]:
    """What is the same in every step: the canvas, the map as if all were unseen, its place."""
    canvas = blank_canvas()
    placed = draw_map(canvas, scene, MAP)
    rows, columns = _on_canvas(placed)
    bright = canvas[rows, columns]
    dim = (UNSEEN * bright).astype(np.uint8)
    kept = (placed.plan.picture == PAPER).all(-1) | (placed.plan.picture == WALL_COLOUR).all(-1)
    dim[kept] = bright[kept]
    for label, row, column, colour in (
        ("measured RIR", RESPONSE_LABEL_ROW, 0, INK),
        ("predicted RIR", RESPONSE_LABEL_ROW, 1, VERMILION),
        ("decay (0.74 s)", PLOT_LABEL_ROW, 0, INK),
        ("coverage", PLOT_LABEL_ROW, 1, INK),
    ):
        draw_text(canvas, (RIGHT + column * (COLUMN + GAP), row), label, colour, scale=2)
    for left, _, width, _ in (MEASURED[0], PREDICTED[0]):
        draw_ending(canvas, (left + width, RESPONSE_LABEL_ROW + 4), SCALE_NOTE, FAINT)
    return canvas, dim, placed


def _on_canvas(placed: PlacedMap) -> tuple[slice, slice]:
    """Rows and columns of the canvas that the map covers."""
    (left, top), (height, width) = placed.corner, placed.plan.picture.shape[:2]
    return slice(top, top + height), slice(left, left + width)


def _dim_unseen(canvas: np.ndarray, dim: np.ndarray, placed: PlacedMap, seen: np.ndarray) -> None:
    rows, columns = _on_canvas(placed)
    np.copyto(canvas[rows, columns], dim, where=~seen[..., None])


def _draw_levels(
    canvas: np.ndarray,
    placed: PlacedMap,
    places: Sequence[Point],
    grid: float,
    levels: np.ndarray,
) -> None:
    """A tile per node, in thirds of the dwelling: quiet, middle and loud (figure 1)."""
    half = grid * placed.plan.pixels_per_metre / 2
    thirds = np.searchsorted(np.quantile(levels, (1 / 3, 2 / 3)), levels, side="right")
    for (column, row), third in zip(places, thirds, strict=True):
        top, bottom = round(row - half), round(row + half)
        left, right = round(column - half), round(column + half)
        tile = canvas[top:bottom, left:right]
        tile[:] = tile.astype(np.uint16) * LEVEL_COLOURS[third] // 255  # walls and names stay dark


def _draw_hull(canvas: np.ndarray, placed: PlacedMap, points: np.ndarray) -> None:
    """The convex hull as a dashed line."""
    if len(points) == 0:
        return
    corners = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(points)))
    corners = np.array([placed.place(corner) for corner in corners])
    for start, end in itertools.pairwise(corners):
        length = float(np.hypot(*(end - start)))
        ahead = (end - start) / max(length, 1e-9)
        for begin in np.arange(0, length, DASH + DASH_GAP):
            stop = min(begin + DASH, length)
            draw_line(canvas, start + begin * ahead, start + stop * ahead, 2.5, INK)


def _draw_walks(
    canvas: np.ndarray,
    places: Sequence[Point],
    trajectories: Sequence[Sequence[Pose]],
    visited: np.ndarray,
) -> None:
    """Walks, visited nodes, starts and, on top, the robots."""
    paths = [
        _beside([places[node] for node, _ in trajectory], k, len(trajectories))
        for k, trajectory in enumerate(trajectories)
    ]
    for k, path in enumerate(paths):
        _draw_path(canvas, path, _robot_colour(k))
    _draw_visited(canvas, [places[node] for node in np.flatnonzero(visited)])
    for k, path in enumerate(paths):
        _draw_start(canvas, path[0], _robot_colour(k))
    for k, (path, trajectory) in enumerate(zip(paths, trajectories, strict=True)):
        _draw_robot(canvas, path[-1], k, trajectory[-1][1])


def _beside(path: Sequence[Point], k: int, n_robots: int) -> list[Point]:
    """The path moved a little, so that walks along the same way are all seen."""
    shift = (k - (n_robots - 1) / 2) * (LINE + 1)
    return [(column + shift, row + shift) for column, row in path]


def _draw_path(canvas: np.ndarray, path: Sequence[Point], colour: Colour) -> None:
    """Where a robot walked, along rows and columns; older steps paler."""
    for step, (start, end) in enumerate(itertools.pairwise(path), start=1):
        if start != end:
            share = OLDEST + (1 - OLDEST) * step / (len(path) - 1)
            left, right = sorted((start[0], end[0]))
            top, bottom = sorted((start[1], end[1]))
            canvas[
                round(top - LINE / 2) : round(bottom + LINE / 2),
                round(left - LINE / 2) : round(right + LINE / 2),
            ] = [round(255 + share * (full - 255)) for full in colour]


def _draw_visited(canvas: np.ndarray, places: Sequence[Point]) -> None:
    """A small dot per node."""
    for column, row in places:
        draw_mask(canvas, (round(column) - 2, round(row) - 2), _DOT, INK)


_DOT = np.hypot(*np.mgrid[-2:3, -2:3]) < 2.5


def _draw_loudspeaker(canvas: np.ndarray, place: Point) -> None:
    """A disc within a ring."""
    draw_disc(canvas, place, 11.0, WHITE)
    draw_ring(canvas, place, 8.5, 2.5, INK)
    draw_disc(canvas, place, 5.0, INK)


def _draw_start(canvas: np.ndarray, place: Point, colour: Colour = INK) -> None:
    """A hollow square."""
    column, row = round(place[0]), round(place[1])
    for half, tone in ((8, WHITE), (6, colour), (3, WHITE)):
        canvas[row - half : row + half + 1, column - half : column + half + 1] = tone


def _draw_robot(canvas: np.ndarray, place: Point, k: int, heading: int = 1) -> None:
    """A body with its number."""
    draw_body(canvas, place, heading, _robot_colour(k))
    number = trimmed(text_mask(str(k)))
    corner = round(place[0] - number.shape[1] / 2), round(place[1] - number.shape[0] / 2)
    draw_mask(canvas, corner, number, WHITE)


def _robot_colour(k: int) -> Colour:
    return ROBOT_COLOURS[k % len(ROBOT_COLOURS)]


def _draw_legend(
    canvas: np.ndarray, has_levels: bool, has_sources: bool, has_receivers: bool
) -> None:
    upper = []
    if has_levels:
        upper += [
            (name, _patch(colour)) for name, colour in zip(LEVEL_NAMES, LEVEL_COLOURS, strict=True)
        ]
    if has_sources:
        upper.append(("source", _draw_loudspeaker))
    if has_receivers:
        upper.append(("microphone", lambda canvas, place: draw_body(canvas, place, 1, INK)))
    draw_legend(canvas, (28, LEGEND_ROWS[0]), upper, gap=20)
    lower = [
        ("start", _draw_start),
        ("visited", lambda canvas, place: _draw_visited(canvas, [place])),
        ("hull", _draw_dashes),
    ]
    if not has_levels:
        lower.append(("unseen", _patch(UNSEEN_FLOOR)))
    draw_legend(canvas, (28, LEGEND_ROWS[1]), lower)


def _patch(colour: Colour) -> Callable[[np.ndarray, Point], None]:
    def draw(canvas: np.ndarray, place: Point) -> None:
        column, row = round(place[0]), round(place[1])
        canvas[row - 8 : row + 8, column - 8 : column + 8] = colour

    return draw


def _draw_dashes(canvas: np.ndarray, place: Point) -> None:
    for shift in (-7, 5):
        start, end = (place[0] + shift - 4, place[1]), (place[0] + shift + 4, place[1])
        draw_line(canvas, start, end, 2.5, INK)


def _draw_views(canvas: np.ndarray, views: Mapping[str, np.ndarray]) -> None:
    """One labelled picture per robot; four to a row."""
    columns = max(2, min(len(views), VIEWS_IN_A_ROW))
    rows = -(-len(views) // columns)
    size = (RIGHT_WIDTH + GAP) // columns - GAP
    height = VIEW_LABEL + size + GAP
    first = VIEW_ROW + (VIEWS_HEIGHT - rows * height) // 2
    for k, (robot, view) in enumerate(views.items()):
        left, top = RIGHT + k % columns * (size + GAP), first + k // columns * height
        _draw_robot(canvas, (left + 10, top + 8), k)
        if text_mask(robot, 2).shape[1] <= size - 24:
            draw_text(canvas, (left + 24, top), robot, INK, scale=2)
        put_smoothly(canvas, (left, top + VIEW_LABEL, size, size), view)
