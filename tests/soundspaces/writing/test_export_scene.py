"""What is written of one scene: its graph, its views and its responses."""

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.io import wavfile
from small_scene import BACKEND, NAME, small_export, small_scene

from av_envs.soundspaces.errors import SoundSpacesError
from av_envs.soundspaces.frames import alpha_of, floor_from_mesh, theta_of, world_from_habitat
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.metadata import check_metadata, habitat_positions, write_metadata
from av_envs.soundspaces.writing.pictures import pictures_bytes, write_pictures
from av_envs.soundspaces.writing.responses import (
    missing_responses,
    response_bytes,
    response_file,
    write_responses,
)
from av_envs.vision.views import pictures_version
from av_envs.worlds.base import BACKENDS, WorldSettings


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    monkeypatch.setitem(BACKENDS, "small", BACKEND)


@pytest.mark.parametrize(("dataset", "height"), [("mp3d", 1.5), ("replica", 1.5528907)])
def test_points_and_graph_are_where_the_nodes_are(tmp_path, dataset, height):
    export = small_export(tmp_path, dataset)
    scene = export.open(NAME).scene
    write_metadata(export, scene)
    rows = np.loadtxt(export.layout.points(NAME), delimiter="\t")
    assert (rows[:, 0] == np.arange(len(scene.graph))).all()
    assert np.allclose(rows[:, 3], height, atol=1e-12)
    floor = floor_from_mesh(rows[:, 1:], dataset)
    assert np.allclose(floor, scene.graph.positions, atol=1e-12)
    graph = pickle.loads(export.layout.graph(NAME).read_bytes())
    points = np.array([graph.nodes[node]["point"] for node in range(len(rows))])
    assert np.allclose(world_from_habitat(points), scene.graph.positions, atol=1e-12)
    for node, neighbours in enumerate(scene.graph.neighbours.tolist()):
        assert list(graph[node]) == [other for other in neighbours if other >= 0]


def test_no_coordinate_is_minus_zero(tmp_path):
    export = small_export(tmp_path, "replica")  # with nodes on the line y = 0
    scene = export.open(NAME).scene
    assert (scene.graph.positions[:, 1] == 0).any()
    write_metadata(export, scene)
    assert not np.signbit(habitat_positions(scene)[habitat_positions(scene) == 0]).any()
    assert "-0.0\t" not in export.layout.points(NAME).read_text()


def test_a_folder_of_something_else_is_refused(tmp_path):
    export = small_export(tmp_path)
    scene = export.open(NAME).scene
    check_metadata(export, scene)  # nothing there yet
    write_metadata(export, scene)
    check_metadata(export, scene)
    other = small_export(tmp_path, rate=44_100, trimmed=True)
    with pytest.raises(SoundSpacesError, match="rate 16000, not 44100, trimmed False, not True"):
        check_metadata(other, scene)
    flat = replace(export, world=export.world._replace(options='{"look": "flat"}'))
    lit, flat_one = pictures_version("lit"), pictures_version("flat")
    with pytest.raises(SoundSpacesError, match=f"camera {lit!r}, not {flat_one!r}"):
        check_metadata(flat, scene)  # pictures of two looks in one folder
    (export.layout.metadata / NAME / "export.json").unlink()
    with pytest.raises(SoundSpacesError, match=r"points\.txt: this was not exported from here"):
        check_metadata(export, scene)


def test_what_an_export_cannot_be_is_named(tmp_path):
    with pytest.raises(ValueError, match="unknown dataset 'hm3d'"):
        Export(tmp_path, WorldSettings(), "hm3d")
    with pytest.raises(ValueError, match=r"replica knows nodes 0.5 m apart, got 1 m"):
        Export(tmp_path, WorldSettings(), "replica")
    with pytest.raises(ValueError, match="rate must be 16000 or 44100 Hz, got 48000"):
        Export(tmp_path, WorldSettings(), rate=48_000)
    with pytest.raises(ValueError, match="near must be metres and not negative"):
        Export(tmp_path, WorldSettings(), near=-1.0)


def test_views_are_kept_by_theta(tmp_path):
    export = small_export(tmp_path)
    write_pictures(export, NAME)
    path = export.layout.pictures(NAME)
    pictures, views = pickle.loads(path.read_bytes()), export.open(NAME).views
    assert len(pictures) == 4 * len(export.open(NAME).scene.graph)
    for node, heading in ((0, 0), (0, 1), (5, 2), (7, 3)):
        rgb, depth = views.view(node, heading)
        found = pictures[node, theta_of(heading)]
        assert found["rgb"].dtype == np.uint8
        assert found["depth"].dtype == np.float32
        assert (found["rgb"] == rgb).all()
        assert (found["depth"] == depth).all()  # (128, 128, 1), 1 is 10 m
    announced = pictures_bytes(export.open(NAME).scene)
    assert 0.99 < path.stat().st_size / announced <= 1


def test_responses_are_those_of_the_dwelling(tmp_path):
    export = small_export(tmp_path)
    write_responses(export, NAME, np.array([3]))
    acoustics = export.open(NAME).acoustics
    for heading in range(4):
        folder = tmp_path / "binaural_rirs" / "mp3d" / NAME / str(alpha_of(heading))
        assert sorted(path.name for path in folder.iterdir()) == [f"{k}_3.wav" for k in range(8)]
        for receiver in (0, 6):
            rate, samples = wavfile.read(folder / f"{receiver}_3.wav")
            assert (rate, samples.dtype, samples.shape) == (16_000, np.float32, (16_000, 2))
            assert (acoustics.rir(3, receiver, heading) == samples.T).all()


def test_only_what_is_missing_is_written(tmp_path):
    export = small_export(tmp_path)
    scene = export.open(NAME).scene
    assert missing_responses(export, scene).sum() == 4 * 8 * 8
    write_responses(export, NAME, np.array([1, 2]))
    missing = missing_responses(export, scene)
    assert np.flatnonzero(missing.any(axis=(0, 1))).tolist() == [0, 3, 4, 5, 6, 7]
    layout = export.layout
    gone, torn, kept = (layout.rir(NAME, 90, receiver, 2) for receiver in (0, 5, 6))
    whole, time = torn.read_bytes(), kept.stat().st_mtime_ns
    gone.unlink()
    torn.write_bytes(whole[:1000])
    (layout.responses(NAME, 90) / "notes.txt").touch()
    draft = layout.responses(NAME, 90) / ".7_7.wav.draft"  # of another process,
    draft.symlink_to("moved")  # which has just given it its name
    assert missing_responses(export, scene)[0, :, 2].nonzero()[0].tolist() == [0, 5]
    write_responses(export, NAME, np.array([1, 2]))
    assert torn.read_bytes() == whole
    assert gone.exists()
    assert kept.stat().st_mtime_ns == time
    assert list(layout.responses(NAME, 90).glob(".*")) == [draft]


def test_pairs_that_are_far_apart_can_be_left_out(tmp_path):
    export = small_export(tmp_path, near=1.0)
    scene = export.open(NAME).scene
    heads = scene.graph.heads
    far = np.linalg.norm(heads[:, None] - heads, axis=-1) > 1.0
    write_responses(export, NAME, np.arange(8))
    assert not missing_responses(export, scene).any()
    everything = missing_responses(small_export(tmp_path), scene)
    assert (everything == far).all()


def test_trimming_leaves_out_nothing_but_silence(tmp_path):
    full = small_export(tmp_path).open(NAME).acoustics.rir(0, 7, 1)
    _, samples = wavfile.read(io.BytesIO(response_file(full, 16_000, trimmed=True)))
    assert len(samples) < 16_000
    assert (samples == full.T[: len(samples)]).all()
    assert not full[:, len(samples) :].any()
    silence = np.zeros((2, 16_000), np.float32)
    assert len(wavfile.read(io.BytesIO(response_file(silence, 16_000, trimmed=True)))[1]) == 1
    export = small_export(tmp_path, trimmed=True)
    write_responses(export, NAME, np.array([0]))
    assert not missing_responses(export, export.open(NAME).scene)[:, :, 0].any()


def test_a_sound_is_as_loud_at_another_rate(tmp_path):
    """The transfer function is the same; the samples are smaller, as there are more of them."""
    response = small_export(tmp_path).open(NAME).acoustics.rir(0, 7, 1)
    data = response_file(response, 44_100)
    assert len(data) == response_bytes(44_100)
    rate, samples = wavfile.read(io.BytesIO(data))
    assert (rate, samples.dtype, samples.shape) == (44_100, np.float32, (44_100, 2))
    before, after = np.fft.rfft(response)[:, :7000], np.fft.rfft(samples.T)[:, :7000]  # 1 Hz each
    assert np.abs(after - before).max() < 0.01 * np.abs(before).max()


def test_the_small_scene_is_as_described():
    scene = small_scene()
    assert len(scene.graph) == 8
    assert (scene.graph.neighbours >= 0).sum() == 20


def test_a_scene_whose_name_is_no_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("small_scene.NAME", "far/away")
    export = Export(tmp_path, WorldSettings("small", kind="a world of its own"))
    with pytest.raises(ValueError, match="scene 'far/away' cannot name a folder"):
        export.open("far/away")
