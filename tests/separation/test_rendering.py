import copy

import numpy as np
import pytest

from av_envs.scene import House
from av_envs.separation.env import SeparationEnv
from av_envs.separation.rendering import (
    CURVE,
    ESTIMATE,
    MAP,
    MIXTURE,
    PURPLE,
    VIEW,
    FrameContent,
    episode_frame,
)
from av_envs.separation.showing import _scored, shown_state
from av_envs.vision import top_down_map
from av_envs.vision.panels import BLUE, VERMILION


@pytest.fixture(scope="module")
def scene():
    return House(1).scene()


@pytest.fixture
def parts(scene):
    """Fields of `FrameContent` for an episode of two moves."""
    rng = np.random.default_rng(0)
    node = int(np.flatnonzero(scene.graph.neighbours[:, 0] >= 0)[0])
    path = [(node, 1), (node, 0), (int(scene.graph.neighbours[node, 0]), 0)]
    walk = scene.graph.walking_distances[node]
    far = np.argsort(-walk)
    return {
        "scene": scene,
        "trajectory": path,
        "source_nodes": [int(far[0]), int(far[20])],
        "view": rng.integers(0, 256, (128, 128, 3)).astype(np.uint8),
        "mixture": rng.uniform(0, 2, (2, 512, 32)).astype(np.float32),
        "target": rng.uniform(0, 2, (512, 32)).astype(np.float32),
        "estimate": rng.uniform(0, 2, (512, 32)).astype(np.float32),
        "history": (0.0, 1.5, -2.0),
        "worth": "SI-SDR gain",
        "steps": 20,
        "caption": "step 2 of 20",
        "facts": (("gain", "+1.0 dB"),),
    }


def frame_of(parts, **others):
    return episode_frame(FrameContent(**parts | others))


def panel(frame, place):
    left, top, width, height = place
    return frame[top : top + height, left : left + width]


def share_of(picture, colour):
    return (picture == colour).all(axis=-1).mean()


def on_the_canvas(scene, node):
    """Column and row of a node on the frame: the map lies in the middle of its panel."""
    size = (scene.bounds[1] - scene.bounds[0])[:2] + 0.7
    plan = top_down_map(scene, float(min(MAP[2] / size[0], MAP[3] / size[1])))
    rows, columns = plan.picture.shape[:2]
    corner = MAP[0] + (MAP[2] - columns) // 2, MAP[1] + (MAP[3] - rows) // 2
    return plan.world_to_pixel(scene.graph.positions[node]) + corner


def test_frames_suit_video_codecs_and_repeat_exactly(parts):
    frame = frame_of(parts)
    assert frame.dtype == np.uint8
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    np.testing.assert_array_equal(frame, frame_of(parts))


def test_the_view_is_shown_pixel_by_pixel(parts):
    shown = panel(frame_of(parts), VIEW)
    np.testing.assert_array_equal(shown[1::2, 1::2], parts["view"])


def test_sources_and_agent_stand_where_they_are(scene, parts):
    frame = frame_of(parts)
    target, other = (on_the_canvas(scene, node).astype(int) for node in parts["source_nodes"])
    np.testing.assert_array_equal(frame[target[1], target[0]], VERMILION)
    np.testing.assert_array_equal(frame[other[1], other[0]], PURPLE)
    column, row = on_the_canvas(scene, parts["trajectory"][-1][0]).astype(int)
    around = frame[row - 6 : row + 7, column - 6 : column + 7]
    assert share_of(around, BLUE) > 0.4


@pytest.mark.parametrize(
    ("heading", "offset"), [(0, (12, 0)), (1, (0, -12)), (2, (-12, 0)), (3, (0, 12))]
)
def test_the_nose_points_along_the_heading(scene, parts, heading, offset):
    node = parts["trajectory"][0][0]
    frame = frame_of(parts, trajectory=[(node, heading)])
    column, row = on_the_canvas(scene, node).astype(int)
    ahead = frame[row + offset[1], column + offset[0]]
    behind = frame[row - offset[1], column - offset[0]]
    assert np.abs(ahead - np.array(BLUE)).sum() < 90
    assert np.abs(behind - np.array(BLUE)).sum() > 150


@pytest.mark.parametrize(("name", "place"), [("mixture", MIXTURE), ("estimate", ESTIMATE)])
def test_only_what_changed_changes(parts, name, place):
    frame = frame_of(parts)
    other = parts[name].copy()
    other[..., 40:80, 10:20] += 9
    louder = frame_of(parts, **{name: other})
    changed = (frame != louder).any(axis=-1)
    assert panel(changed, place).any()
    panel(changed, place)[:] = False
    assert not changed.any()


def test_what_is_twice_as_loud_looks_the_same(parts):
    """The scale is relative: a scaled estimate is worth the same."""
    frame = frame_of(parts)
    np.testing.assert_array_equal(frame, frame_of(parts, target=2 * parts["target"]))


def test_the_caption_is_in_the_header_only(parts):
    frame, renamed = frame_of(parts), frame_of(parts, caption="step 3 of 20")
    np.testing.assert_array_equal(frame[36:], renamed[36:])
    assert (frame[:36] != renamed[:36]).any()


def test_a_walk_is_drawn_on_the_map_only(parts):
    frame, moved = frame_of(parts), frame_of(parts, trajectory=parts["trajectory"][:2])
    assert (panel(frame, MAP) != panel(moved, MAP)).any()
    np.testing.assert_array_equal(frame[:, 580:], moved[:, 580:])


def test_scores_are_a_curve_up_to_now(parts):
    frame = frame_of(parts, history=[0, 4, 2], steps=20)
    curve = panel(frame, CURVE)
    drawn = np.flatnonzero((curve == BLUE).all(axis=-1).any(axis=0))
    width = CURVE[2] - 8
    assert drawn.max() <= 4 + width * 2 / 20 + 2
    peak = np.flatnonzero((curve == BLUE).all(axis=-1).any(axis=1)).min()
    assert peak == pytest.approx(2 + (CURVE[3] - 4) * 1 / 10, abs=2)  # 4 dB between -5 and 5


def test_facts_are_told_where_nothing_else_is(parts):
    frame, other = frame_of(parts), frame_of(parts, facts=(("gain", "-7.0 dB"),))
    changed = np.argwhere((frame != other).any(axis=-1))
    assert len(changed)
    assert changed[:, 1].min() >= VIEW[0] + VIEW[2]
    assert changed[:, 0].max() < MIXTURE[1] - 16


def test_an_episode_without_a_pose_is_refused(parts):
    with pytest.raises(ValueError, match="start pose"):
        frame_of(parts, trajectory=[])


def test_an_estimate_that_is_unknown_is_not_drawn(parts):
    shown = panel(frame_of(parts, estimate=None), ESTIMATE)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 1


def test_what_is_scored_is_shown():
    """The better ear's mixture, or what the agent said in its last action."""
    env = SeparationEnv(houses=1, steps=2, estimator="agent")
    env.reset(seed=0)
    state, classes = env.state, env.corpus.classes
    np.testing.assert_array_equal(_scored(state, env.config), state.audio.mixture)
    said = np.full((512, 32), 0.25, np.float32)
    env.step({"move": 3, "estimate": said})
    np.testing.assert_array_equal(_scored(env.state, env.config), said)
    assert _scored(copy.deepcopy(env).state, env.config) is None
    assert len(env.state.history) == 2
    assert shown_state(env.state, env.config, classes).shape == (608, 992, 3)


def test_an_agents_own_estimate_is_called_that_of_the_second_before(parts):
    frame, other = frame_of(parts), frame_of(parts, estimate_title="scored, 1 s ago")
    changed = np.argwhere((frame != other).any(axis=-1))
    left, top, width, _ = ESTIMATE
    assert changed[:, 0].max() < top
    assert left <= changed[:, 1].min()
    assert changed[:, 1].max() < left + width + 14
