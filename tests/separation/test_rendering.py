import numpy as np
import pytest

from av_envs.scene import House
from av_envs.separation.rendering import (
    MAP,
    MIXTURE,
    PURPLE,
    TARGET,
    VIEW,
    episode_frame,
    spectrogram_picture,
)
from av_envs.vision import top_down_map
from av_envs.vision.panels import BLUE, VERMILION


@pytest.fixture(scope="module")
def scene():
    return House(1).scene()


@pytest.fixture
def parts(scene):
    """Arguments of `episode_frame` for an episode of two moves."""
    rng = np.random.default_rng(0)
    node = int(np.flatnonzero(scene.graph.neighbours[:, 0] >= 0)[0])
    path = [(node, 1), (node, 0), (int(scene.graph.neighbours[node, 0]), 0)]
    walk = scene.graph.walking_distances[node]
    far = np.argsort(-walk)
    return {
        "scene": scene,
        "trajectory": path,
        "source_nodes": [int(far[0]), int(far[20])],
        "view_rgb": rng.integers(0, 256, (128, 128, 3)).astype(np.uint8),
        "mixture": rng.uniform(0, 2, (2, 512, 32)).astype(np.float32),
        "target": rng.uniform(0, 2, (512, 32)).astype(np.float32),
        "caption": "step 2/20  SI-SDR -1.0 dB",
    }


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
    frame = episode_frame(**parts)
    assert frame.dtype == np.uint8
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    np.testing.assert_array_equal(frame, episode_frame(**parts))


def test_the_view_is_shown_pixel_by_pixel(parts):
    shown = panel(episode_frame(**parts), VIEW)
    np.testing.assert_array_equal(shown[1::3, 1::3], parts["view_rgb"])


def test_sources_and_agent_stand_where_they_are(scene, parts):
    frame = episode_frame(**parts)
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
    frame = episode_frame(**parts | {"trajectory": [(node, heading)]})
    column, row = on_the_canvas(scene, node).astype(int)
    ahead = frame[row + offset[1], column + offset[0]]
    behind = frame[row - offset[1], column - offset[0]]
    assert np.abs(ahead - np.array(BLUE)).sum() < 90
    assert np.abs(behind - np.array(BLUE)).sum() > 150


def test_only_what_changed_changes(parts):
    frame = episode_frame(**parts)
    louder = episode_frame(**parts | {"mixture": parts["mixture"] + 1})
    assert (panel(frame, MIXTURE) != panel(louder, MIXTURE)).any()
    np.testing.assert_array_equal(panel(frame, TARGET), panel(louder, TARGET))
    np.testing.assert_array_equal(panel(frame, MAP), panel(louder, MAP))
    moved = episode_frame(**parts | {"trajectory": parts["trajectory"][:2]})
    assert (panel(frame, MAP) != panel(moved, MAP)).any()
    np.testing.assert_array_equal(frame[:, 580:], moved[:, 580:])
    renamed = episode_frame(**parts | {"caption": "step 3/20"})
    np.testing.assert_array_equal(frame[36:], renamed[36:])
    assert (frame[:36] != renamed[:36]).any()


def test_an_episode_without_a_pose_is_refused(parts):
    with pytest.raises(ValueError, match="start pose"):
        episode_frame(**parts | {"trajectory": []})


def test_high_notes_are_on_top_and_loud_ones_bright():
    magnitude = np.full((512, 32), 1e-6)
    magnitude[500], magnitude[4, :16] = 3.0, 30.0
    brightness = spectrogram_picture(magnitude).astype(int).sum(axis=-1)
    assert brightness.shape == (128, 32)
    assert set(np.flatnonzero(brightness[:, 20] > 50)) == {2}
    assert set(np.flatnonzero(brightness[:, 3] > 50)) == {2, 126}
    assert brightness[126, 3] > brightness[2, 3] > brightness[60, 3]
