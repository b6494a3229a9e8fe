"""Frames of a measuring episode: every part shows what it is given, where it is."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.rir_measure.rendering.frame import (
    COVERAGE,
    DECAY,
    LEVEL_COLOURS,
    MAP,
    MEASURED,
    PREDICTED,
    ROBOT_COLOURS,
    VIEW_LABEL,
    VIEW_ROW,
    FrameContent,
    coverage_so_far,
    episode_frame,
    measure_frame,
    node_levels,
)
from av_envs.rir_measure.rendering.responses import HOP, decay_db, draw_curve, spectrogram_picture
from av_envs.rir_measure.rendering.seen_area import REACH, seen_area
from av_envs.scene import House, load_scene
from av_envs.scene.bvh import occluded
from av_envs.vision import top_down_map
from av_envs.vision.panels import INK, VERMILION, blank_canvas, draw_map

RIGHT_SIDE = 584  # first column right of the map


def framed(**parts) -> np.ndarray:
    return measure_frame(FrameContent(**parts))


@pytest.fixture(scope="module")
def scene():
    return load_scene("flat-3", 0.5)


def straight_walk(scene, first):
    """(node, heading) of two steps east that begin near node `first`."""
    east = scene.graph.neighbours[:, 0]
    node = next(n for n in range(first, len(east)) if east[n] >= 0 and east[east[n]] >= 0)
    return [(node, 0), (int(east[node]), 0), (int(east[east[node]]), 0)]


def decaying(seed):
    time = np.arange(16000) / 16000
    noise = np.random.default_rng(seed).standard_normal((2, 16000))
    return (0.2 * noise * np.exp(-time / 0.05)).astype(np.float32)


@pytest.fixture
def parts(scene):
    """Of a `FrameContent` after two steps of two robots."""
    walks = {"robot_0": straight_walk(scene, 10), "robot_1": straight_walk(scene, 60)}
    visited = np.zeros(len(scene.graph), bool)
    visited[[node for walk in walks.values() for node, _ in walk]] = True
    rng = np.random.default_rng(0)
    ends = [walk[k][0] for walk in walks.values() for k in (-2, -1)]
    return {
        "scene": scene,
        "trajectories": walks,
        "visited": visited,
        "views": {robot: rng.integers(0, 256, (128, 128, 3)).astype(np.uint8) for robot in walks},
        "measured": decaying(1),
        "predicted": decaying(2),
        "levels": None,
        "hull": scene.graph.positions[ends, :2],
        "history": [0.02, 0.04, 0.06],
        "caption": "t 2/250  CR 0.06  PE 1.20  WCR 0.14",
    }


def panel(frame, place):
    left, top, width, height = place
    return frame[top : top + height, left : left + width]


def share_of(picture, colour):
    return (picture == colour).all(axis=-1).mean()


def on_the_canvas(scene, node):
    placed = draw_map(blank_canvas(), scene, MAP)
    return np.rint(placed.place(scene.graph.positions[node])).astype(int)


def around(frame, scene, node, reach=10):
    column, row = on_the_canvas(scene, node)
    return frame[row - reach : row + reach + 1, column - reach : column + reach + 1]


def test_frames_suit_video_codecs_and_repeat_exactly(parts):
    frame = framed(**parts)
    assert frame.dtype == np.uint8
    assert frame.shape == (608, 992, 3)
    assert frame.shape[0] % 16 == frame.shape[1] % 16 == 0
    np.testing.assert_array_equal(frame, framed(**parts))


def test_robots_and_starts_stand_where_they_are_in_their_colours(scene, parts):
    frame = framed(**parts)
    for colour, walk in zip(ROBOT_COLOURS, parts["trajectories"].values(), strict=False):
        assert share_of(around(frame, scene, walk[-1][0]), colour) > 0.25
        assert share_of(around(frame, scene, walk[0][0]), colour) > 0.15


def test_every_part_shows_its_own_argument_only(parts):
    frame = framed(**parts)

    def changed(**other):
        return (framed(**parts | other) != frame).any(axis=-1)

    louder = changed(measured=2 * parts["measured"])
    assert panel(louder, MEASURED[0]).any()
    assert panel(louder, DECAY).any()
    assert not panel(louder, PREDICTED[0]).any()
    assert not louder[:, :RIGHT_SIDE].any()
    left_ear = changed(predicted=parts["predicted"] * np.array([[2], [1]], np.float32))
    assert panel(left_ear, PREDICTED[0]).any()
    assert not panel(left_ear, PREDICTED[1]).any()
    covered = changed(history=[0.02, 0.3, 0.9])
    assert panel(covered, COVERAGE).any()
    assert covered.sum() == panel(covered, COVERAGE).sum()
    renamed = changed(caption="t 3/250")
    assert renamed[:36].any()
    assert not renamed[36:].any()
    views = parts["views"] | {"robot_1": 255 - parts["views"]["robot_1"]}
    seen = changed(views=views)
    assert seen[VIEW_ROW + VIEW_LABEL :, 790:].any()
    assert not seen[:, :790].any()


def test_without_a_prediction_there_is_no_curve_of_it(parts):
    assert share_of(panel(framed(**parts), DECAY), VERMILION) > 0
    frame = framed(**parts | {"predicted": None})
    assert share_of(panel(frame, DECAY), VERMILION) == 0
    assert share_of(panel(frame, PREDICTED[1]), panel(frame, PREDICTED[1])[0, 0]) == 1


def test_seen_floor_is_light_and_unseen_floor_dim(scene, parts):
    frame = framed(**parts).astype(int)
    node, heading = parts["trajectories"]["robot_0"][0]
    turned = {robot: [(walk[0][0], 2)] for robot, walk in parts["trajectories"].items()}
    back = framed(**parts | {"trajectories": turned}).astype(int)
    brighter = (frame.sum(-1) > back.sum(-1) + 60)[48:544, :576]
    darker = (frame.sum(-1) < back.sum(-1) - 60)[48:544, :576]
    column = on_the_canvas(scene, node)[0]
    assert heading == 0
    assert brighter[:, column + 30 :].sum() > 2000
    assert darker[:, : column - 30].sum() > 2000


@pytest.mark.slow
def test_three_bands_of_loudness_replace_what_is_unseen(scene, parts):
    levels = np.linspace(-60, 0, len(scene.graph))
    frame = framed(**parts | {"levels": levels})
    legend = frame[554:572, 16:560]
    assert all(share_of(legend, colour) > 0 for colour in LEVEL_COLOURS)
    free = [n for n in range(len(levels)) if not parts["visited"][n]]
    quiet, loud = (around(frame, scene, n, 4).mean() for n in (free[0], free[-1]))
    assert loud < quiet - 25
    unchanged = framed(**parts | {"levels": levels + 7})
    np.testing.assert_array_equal(frame, unchanged)
    all_loud = framed(**parts | {"levels": 0 * levels})
    same = [(around(frame, scene, n, 4) == around(all_loud, scene, n, 4)).all() for n in free]
    assert np.mean(same) == pytest.approx(1 / 3, abs=0.06)


def test_the_hull_is_drawn_whatever_the_points(scene, parts):
    low, high = scene.graph.positions[:, :2].min(0), scene.graph.positions[:, :2].max(0)
    square = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    shown = {}
    for name, points in {
        "none": square[:0],
        "one": square[:1],
        "line": square[[0, 2]],
        "square": square,
        "shuffled": square[[2, 0, 3, 1]],
        "inner": np.vstack([square, square.mean(0)]),
    }.items():
        shown[name] = framed(**parts | {"hull": points})
    np.testing.assert_array_equal(shown["none"], shown["one"])
    placed = draw_map(blank_canvas(), scene, MAP)
    for corner in square[[0, 2]]:
        column, row = np.rint(placed.place(corner)).astype(int)
        end = (slice(row - 6, row + 7), slice(column - 6, column + 7))
        assert share_of(shown["line"][end], INK) > share_of(shown["none"][end], INK)
    for name in ("shuffled", "inner"):
        ink = [share_of(shown[key], INK) for key in (name, "square")]
        assert ink[0] == pytest.approx(ink[1], rel=0.01)


def test_loudspeakers_and_microphones_that_stay_are_on_the_map(scene, parts):
    nodes = np.flatnonzero(~parts["visited"])[[5, 30]].tolist()
    frame = framed(**parts | {"fixed_sources": nodes[:1], "fixed_receivers": [(nodes[1], 1)]})
    for node in nodes:
        assert share_of(around(frame, scene, node, 8), INK) > 0.2


@pytest.mark.parametrize("n_robots", [1, 3, 4, 7])
def test_any_number_of_robots_has_room(scene, parts, n_robots):
    robots = [f"robot_{k}" for k in range(n_robots)]
    walks = {robot: straight_walk(scene, 9 * k) for k, robot in enumerate(robots)}
    views = {robot: np.full((128, 128, 3), 7 + k, np.uint8) for k, robot in enumerate(robots)}
    frame = framed(**parts | {"trajectories": walks, "views": views})
    sizes = [(frame[48:270, RIGHT_SIDE:] == 7 + k).all(-1).sum() for k in range(n_robots)]
    assert min(sizes) == max(sizes) >= 85**2


def test_an_episode_without_a_pose_is_refused(parts):
    for trajectories in ({}, {"robot_0": [(0, 0)], "robot_1": []}):
        with pytest.raises(ValueError, match="start pose"):
            framed(**parts | {"trajectories": trajectories})


@pytest.mark.parametrize("heading", range(4))
def test_what_is_seen_can_be_reached_by_a_straight_line(heading):
    scene = House(1).scene()
    plan, node = top_down_map(scene, 12.0), 20
    seen = seen_area(scene, plan, [(node, heading)])
    eye = scene.graph.heads[node].astype(float)
    rows, columns = np.mgrid[: seen.shape[0], : seen.shape[1]]
    x = plan.corner[0] + (columns + 0.5) / 12 - eye[0]
    y = plan.corner[1] - (rows + 0.5) / 12 - eye[1]
    turn = heading * np.pi / 2
    ahead, left = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    inside = (ahead > 0) & (np.abs(left) < ahead) & (np.hypot(x, y) < REACH)
    targets = np.stack([x + eye[0], y + eye[1], np.full_like(x, eye[2])], -1).reshape(-1, 3)
    blocked = occluded(scene.bvh, np.broadcast_to(eye, targets.shape), targets).reshape(x.shape)
    assert not (seen & ~inside).any()
    expected = inside & ~blocked
    assert (expected & seen).sum() / expected.sum() > 0.98
    beyond = (seen & blocked).sum()  # walls, which are included
    assert beyond < 0.1 * expected.sum() + 60


def test_seen_areas_add_up(scene):
    plan = top_down_map(scene, 20.0)
    poses = [*straight_walk(scene, 10), (10, 1), (60, 2)]
    parts = [seen_area(scene, plan, [pose]) for pose in poses]
    np.testing.assert_array_equal(seen_area(scene, plan, poses), np.logical_or.reduce(parts))
    np.testing.assert_array_equal(seen_area(scene, plan, poses * 3), seen_area(scene, plan, poses))


def test_high_notes_are_on_top_and_time_runs_to_the_right():
    time = np.arange(16000) / 16000
    tone = 0.005 * np.sin(2 * np.pi * 7000 * time) * (np.abs(time - 0.2) < 0.05)
    picture = spectrogram_picture(tone.astype(np.float32), 186).astype(int).sum(-1)
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert picture.shape == (128, 186)
    assert row == pytest.approx(128 * (1 - 7000 / 8000), abs=2)
    assert column == pytest.approx(0.2 * 16000 / HOP, abs=14)
    assert picture[:, 100:].max() < 20


def test_an_exponential_decay_is_a_straight_line():
    time = np.arange(16000) / 16000
    response = np.exp(-time / 0.1)[None].repeat(2, 0)
    curve = decay_db(response, 100)
    per_column = -20 / np.log(10) * HOP / 16000 / 0.1
    np.testing.assert_allclose(np.diff(curve), per_column, rtol=1e-3)
    assert curve[0] == pytest.approx(10 * np.log10(16000 * 0.05), abs=0.01)


def test_curves_run_from_the_bottom_to_the_top():
    canvas = np.zeros((40, 50, 3), np.uint8)
    draw_curve(canvas, (5, 5, 40, 30), np.linspace(0, 1, 40), (200, 0, 0))
    rows, columns = np.nonzero(canvas[..., 0])
    assert (rows.min(), rows.max()) == (5, 34)
    assert (columns.min(), columns.max()) == (5, 44)
    assert rows[columns == 5].mean() > rows[columns == 44].mean() + 20


def test_coverage_counts_every_node_once():
    first, second = [(0, 0), (1, 0), (2, 0)], [(1, 1), (1, 2), (3, 0)]
    assert coverage_so_far([first, second], 8) == [2 / 8, 2 / 8, 4 / 8]


def test_levels_are_those_of_the_responses():
    gains = np.array([1.0, 0.1, 0.0, 2.0], np.float32)
    world = SimpleNamespace(rir=lambda s, r, h: np.array([[gains[r]], [0]]) * (s == 2))
    expected = 10 * np.log10([0.5, 0.005, 1e-10, 2.0])
    np.testing.assert_allclose(node_levels(world, 4, 2, 0), expected, atol=1e-5)


@pytest.mark.parametrize("timing", ["post_move", "pre_move"])
def test_the_environment_draws_what_it_knows(timing):
    options = {"houses": 1, "steps": 4, "fixed_sources": 1, "predictor": "oracle"}
    env = gym.make("AVRIRMeasure-v0", render_mode="rgb_array", xi_timing=timing, **options)
    env.reset(seed=5)
    env.step(env.action_space.sample() * 0 + 2)
    frame = env.render()
    same = panel(frame, PREDICTED[1]) == panel(frame, MEASURED[1])
    assert same.all() == (timing == "post_move")
    assert (share_of(panel(frame, DECAY), VERMILION) > 0) == (timing == "post_move")
    np.testing.assert_array_equal(frame, env.render())
    team = env.unwrapped.team
    louder = episode_frame(team.episode, with_levels=True)
    assert (louder[:, :RIGHT_SIDE] != frame[:, :RIGHT_SIDE]).any()
    np.testing.assert_array_equal(louder[:, RIGHT_SIDE:], frame[:, RIGHT_SIDE:])
    assert env.unwrapped.hear().shape == (2, 4000)
