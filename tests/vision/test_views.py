import pickle
from dataclasses import replace

import numpy as np
import pytest

from av_envs.cache.rows import cache_directory
from av_envs.scene import House
from av_envs.vision import ViewCache, lights_of, render_labels, render_rgbd
from av_envs.vision.views import LOOKS


def test_a_kept_view_equals_a_fresh_one(scene):
    first = ViewCache(scene).view(1, 2)
    again = ViewCache(scene).view(1, 2)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("look", LOOKS)
def test_a_view_is_the_rendered_one(scene, look):
    rgb, depth = ViewCache(scene, look).view(0, 3)
    lights = lights_of(scene) if look == "lit" else None
    rendered, metres = render_rgbd(scene, scene.graph.heads[0], 3, lights=lights)
    np.testing.assert_array_equal(rgb, rendered)
    np.testing.assert_allclose(depth[:, :, 0] * 10, metres, atol=1e-4)
    assert rgb.shape == (128, 128, 3)
    assert depth.shape == (128, 128, 1)
    assert depth.dtype == np.float32
    assert 0 <= depth.min() <= depth.max() <= 1


def test_looks_are_kept_apart(scene):
    lit, flat = (ViewCache(scene, look).view(0, 3)[0] for look in LOOKS)
    assert not np.array_equal(lit, flat)
    assert np.array_equal(pickle.loads(pickle.dumps(ViewCache(scene, "flat"))).view(0, 3)[0], flat)
    others = replace(scene, category=scene.category + np.uint8(1))  # all that stands there is named
    assert not np.array_equal(ViewCache(others).view(0, 3)[0], lit)
    with pytest.raises(ValueError, match="look 'dim' does not exist; choose from lit, flat"):
        ViewCache(scene, "dim")


# The mean colour of each quarter of a picture: upper left, upper right, lower left, lower right.
# By look, node and heading; from node 6 a door is seen.
QUARTERS = {
    ("lit", 90, 3): [
        [186.8, 184.0, 176.7], [175.2, 175.9, 172.0], [163.1, 141.8, 134.2], [129.8, 80.2, 80.1],
    ],
    ("lit", 6, 0): [
        [183.7, 164.9, 149.9], [181.4, 160.4, 145.8], [152.8, 120.2, 90.7], [152.6, 118.5, 92.9],
    ],
    ("flat", 90, 3): [
        [174.9, 172.4, 165.7], [174.8, 176.4, 172.6], [164.0, 139.1, 131.6], [156.7, 102.5, 102.7],
    ],
    ("flat", 6, 0): [
        [175.7, 156.2, 142.3], [178.4, 157.7, 143.3], [169.2, 129.7, 99.2], [175.6, 134.9, 104.4],
    ],
}  # fmt: skip


@pytest.mark.parametrize(("look", "node", "heading"), QUARTERS)
def test_pictures_change_with_their_version_only(look, node, heading):
    """Results depend on them: where this fails, raise CAMERA_VERSION or LIGHT_VERSION."""
    rgb = ViewCache(House(3).scene(), look).view(node, heading)[0]
    means = rgb.reshape(2, 64, 2, 64, 3).mean(axis=(1, 3)).reshape(4, 3)
    np.testing.assert_allclose(means, QUARTERS[look, node, heading], atol=0.1)


def test_views_belong_to_the_caller(scene):
    views = ViewCache(scene)
    rgb, depth = views.view(0, 0)
    kept = rgb.copy(), depth.copy()
    rgb[:], depth[:] = 0, 0
    again = views.view(0, 0)
    for a, b, c in zip(again, kept, (rgb, depth), strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, c)


def test_every_pose_has_its_own_view():
    scene = House(0).scene()
    views = ViewCache(scene)
    first_of_each_room = np.unique(scene.graph.room, return_index=True)[1]
    pictures = [views.view(int(node), h)[0] for node in first_of_each_room for h in range(4)]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    colours = [
        np.mean([views.view(int(node), h)[0].reshape(-1, 3).mean(0) for h in range(4)], 0)
        for node in first_of_each_room
    ]
    apart = np.abs(np.subtract.outer(colours, colours)[:, [0, 1, 2], :, [0, 1, 2]]).sum(0)
    assert np.median(apart[~np.eye(len(colours), dtype=bool)]) > 10  # rooms look different


def test_labels_are_those_of_the_view():
    scene = House(0).scene()
    views = ViewCache(scene)
    labels = [views.labels(50, heading) for heading in range(4)]
    assert labels[0].shape == (128, 128)
    np.testing.assert_array_equal(labels[2], render_labels(scene, scene.graph.heads[50], 2))
    assert len(np.unique(labels)) > 3


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path))
    cache_directory.cache_clear()
    yield
    cache_directory.cache_clear()


@pytest.mark.usefixtures("empty_cache")
def test_baking_makes_the_views_that_are_missing(scene, monkeypatch):
    views, made = ViewCache(scene), []
    original = views._render
    monkeypatch.setattr(views, "_render", lambda *pose: made.append(pose) or original(*pose))
    views.view(1, 2)
    assert views.filled().tolist() == [False, False]
    views.bake([1])
    assert views.filled().tolist() == [False, True]
    views.bake(range(2))
    assert made == [(1, 2), (1, 0), (1, 1), (1, 3), (0, 0), (0, 1), (0, 2), (0, 3)]


def test_unknown_poses_are_refused(scene):
    views = ViewCache(scene)
    with pytest.raises(ValueError, match=r"nodes 0\.\.1, got 2"):
        views.labels(2, 0)
    with pytest.raises(ValueError, match=r"nodes 0\.\.1, got 2"):
        views.view(2, 0)
    with pytest.raises(ValueError, match="heading"):
        views.view(0, -1)
