"""Pictures are handed out as they were stored, and environments see them as their own."""

import os
import warnings

import numpy as np
import pytest
from tiny_tree import pickled_as, picture, pictures, write_observations

from av_envs.soundspaces.errors import MissingFileError, UnreadableFileError
from av_envs.soundspaces.frames import theta_of
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset
from av_envs.soundspaces.reading.observations import RecordedViews, read_observations


@pytest.fixture
def written(tmp_path):
    def path_with(views):
        path = tmp_path / "hall.pkl"
        if isinstance(views, bytes):
            path.write_bytes(views)
        else:
            write_observations(path, views)
        return path

    return path_with


@pytest.mark.parametrize("heading", range(4))
def test_views_are_found_by_our_heading(tiny_root, heading):
    views = SoundSpacesDataset(tiny_root).scene("hall").observations()
    assert len(views) == 32
    view, stored = views[5, heading], picture(5, theta_of(heading))
    np.testing.assert_array_equal(view.rgb, stored["rgb"])
    np.testing.assert_array_equal(view.depth, stored["depth"][:, :, 0])
    assert (view.rgb.dtype, view.depth.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(view.depth_m, 10 * stored["depth"][:, :, 0])


def test_axes_of_length_one_at_the_end_are_left_out_and_nothing_else(written):
    stored = {
        "depth": np.ones((128, 128, 1, 1), np.float32),
        "row": np.ones((1, 128), np.uint8),
        "semantic": np.ones((1, 1, 1), np.int32),
    }
    view = read_observations(written({(0, 90): stored}))[0, 2]
    shapes = {name: array.shape for name, array in view.arrays.items()}
    assert shapes == {"depth": (128, 128), "row": (1, 128), "semantic": (1, 1)}


def test_keys_of_numpy_and_floats_are_poses_too(written):
    views = {(np.int64(3), np.float64(270.0)): picture(3, 270), (4, 0): picture(4, 0)}
    assert list(read_observations(written(views))) == [(3, 0), (4, 1)]


def test_observations_of_habitat_are_read(tmp_path, written):
    module = "habitat.core.simulator"
    one = pickled_as(module, "Observations", {}, 2, items=picture(3, 90))
    body = one[2:-1]  # without the protocol and the full stop
    path = written(b"\x80\x02}K\x03KZ\x86" + body + b"s.")
    np.testing.assert_array_equal(read_observations(path)[3, 2].rgb, picture(3, 90)["rgb"])


@pytest.mark.parametrize(
    ("views", "reason"),
    [
        ([picture(0, 0)], "must be a dict of poses, is list"),
        ({(0, 45): picture(0, 0)}, r"the entry \(0, 45\) is no .*multiple of 90"),
        ({0: picture(0, 0)}, "the entry 0 is no"),
        ({("a", 0): picture(0, 0)}, r"the entry \('a', 0\) is no"),
        ({(0, 0): np.zeros(3)}, r"the entry \(0, 0\) is no"),
    ],
)
def test_what_is_no_table_of_views_names_the_file(written, views, reason):
    with pytest.raises(UnreadableFileError, match=rf"hall\.pkl: {reason}"):
        read_observations(written(views))


def test_missing_pictures_are_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"hall\.pkl"):
        read_observations(tmp_path / "hall.pkl")


def test_environments_see_what_was_stored(written):
    """To half a step of the depth that is kept; nodes are renumbered, some are left out."""
    path = written(pictures(6))
    views = RecordedViews(path, "hall", np.array([5, 2]))
    for heading in range(4):
        rgb, depth = views.view(1, heading)
        stored = picture(2, theta_of(heading))
        np.testing.assert_array_equal(rgb, stored["rgb"])
        np.testing.assert_allclose(depth, stored["depth"], atol=0.51 / 65_535)
        assert (rgb.dtype, depth.dtype, depth.shape) == (np.uint8, np.float32, (128, 128, 1))
    rgb[:] = 0  # it belongs to the caller
    np.testing.assert_array_equal(views.view(1, 3)[0], picture(2, 180)["rgb"])


def test_the_pickle_is_read_once(written):
    path = written(pictures(2))
    RecordedViews(path, "hall", np.array([0, 1])).view(0, 0)
    again = RecordedViews(path, "hall", np.array([0, 1]))
    stat = path.stat()
    path.write_bytes(b"x" * stat.st_size)
    rgb, _ = again.view(1, 3)
    np.testing.assert_array_equal(rgb, picture(1, 180)["rgb"])


def test_another_pickle_under_the_same_name_is_noticed(written):
    path = written(pictures(1))
    RecordedViews(path, "hall", np.array([0])).view(0, 0)
    before, changed = path.stat(), pictures(1)
    changed[0, 270]["rgb"] = changed[0, 270]["rgb"] + np.uint8(9)
    written(changed)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    views = RecordedViews(path, "hall", np.array([0]))
    np.testing.assert_array_equal(views.view(0, 0)[0], changed[0, 270]["rgb"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rgb": np.zeros((256, 256, 3), np.uint8)}, r"rgb of the view \(0, 0\) must be .*256"),
        ({"rgb": np.zeros((128, 128, 3), np.float32)}, "must be .* of kind 'u'.*float32"),
        ({"depth": np.full((128, 128, 1), 3.0, np.float32)}, r"must lie in 0\.\.1, 1 is 10 m"),
        ({"depth": np.full((128, 128, 1), np.nan, np.float32)}, r"must lie in 0\.\.1"),
        ({"depth": None}, "has no 'depth'"),
    ],
)
def test_pictures_that_do_not_fit_are_errors(written, change, reason):
    stored = {name: array for name, array in (picture(0, 0) | change).items() if array is not None}
    views = RecordedViews(written({(0, 0): stored}), "hall", np.array([0]))
    with pytest.raises(UnreadableFileError, match=rf"hall\.pkl: .*{reason}"):
        views.view(0, 1)


def test_what_nobody_rendered_and_what_does_not_exist_are_errors(written):
    views = RecordedViews(written({(0, 0): picture(0, 0)}), "hall", np.array([0, 3]))
    views.view(0, 1)
    with pytest.raises(UnreadableFileError, match=r"hall\.pkl: has no view \(3, 90\)"):
        views.view(1, 2)
    with pytest.raises(ValueError, match=r"hall\.pkl has nodes 0\.\.1, got 2"):
        views.view(2, 0)
    with pytest.raises(ValueError, match="heading must be 0, 1, 2 or 3"):
        views.view(0, 4)
    with pytest.raises(ValueError, match="leave 'semantic' out of observations"):
        views.labels(0, 0)


def test_no_warning_comes_from_the_cache(written):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RecordedViews(written(pictures(1)), "hall", np.array([0])).view(0, 0)
