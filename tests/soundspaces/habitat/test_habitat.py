"""habitat-sim as a world, against a stand-in of every kind of its builds."""

import importlib.util
import os
import sys

import fake_habitat
import gymnasium as gym
import numpy as np
import pytest

from av_envs.acoustics import TracedAcoustics
from av_envs.benchmarks.engines.rooms import flat, shoebox
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.soundspaces.habitat import probe, simulator
from av_envs.soundspaces.habitat.probe import Capabilities, HabitatError, SourcePositionError
from av_envs.soundspaces.habitat.simulator import SceneFiles
from av_envs.soundspaces.habitat.world import HabitatWorld, scene_files
from av_envs.soundspaces.rlr import LicenceNotice
from av_envs.worlds.base import open_world

trimesh = pytest.importorskip("trimesh", reason="extra [mesh] is not installed")
NORTH, WEST = 1, 2


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """A box of 6 x 4 x 3 m with a pillar, so that no two views are alike."""
    path = tmp_path_factory.mktemp("scenes") / "hall.ply"
    box = shoebox(flat(0.2)).triangles.astype(float)
    pillar = trimesh.creation.box(bounds=[[3.6, 2.2, 0.0], [4.0, 2.6, 3.0]])
    pieces = [trimesh.Trimesh(**trimesh.triangles.to_kwargs(box)), pillar]
    trimesh.util.concatenate(pieces).export(path)
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    fake_habitat.install(folder)
    return folder


@pytest.fixture
def habitat(package, monkeypatch):
    """Call it with the kinds of a build to have that one installed.

    apart  whether questions go to a process of their own, as they do, which takes seconds
    """
    monkeypatch.syspath_prepend(package)

    def choose(kinds, apart=False):
        monkeypatch.delitem(sys.modules, "habitat_sim", raising=False)
        monkeypatch.setenv(fake_habitat.KINDS, kinds)
        if not apart:
            monkeypatch.setattr(probe, "_ask", simulator.answer)

    yield choose
    sys.modules.pop("habitat_sim", None)


def world(mesh, **options):
    return HabitatWorld(grid=1.0, root=str(mesh), **options)


def test_an_absent_installation_is_named(mesh, monkeypatch):
    if importlib.util.find_spec("habitat_sim"):
        pytest.skip("habitat-sim is installed")
    with pytest.raises(ImportError, match="habitat-sim is not installed"):
        world(mesh)


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ("no-audio legacy", Capabilities("0.3.3", None)),
        ("audio legacy", Capabilities("0.3.3", "legacy")),
        ("audio new", Capabilities("0.2.2", "new")),
    ],
)
def test_a_build_is_told_by_what_it_has(habitat, kinds, found):
    habitat(kinds)
    assert probe.capabilities() == found


def test_questions_go_to_a_process_of_their_own(habitat):
    habitat("audio new", apart=True)
    assert probe.capabilities() == Capabilities("0.2.2", "new")
    assert "habitat_sim" not in sys.modules


@pytest.mark.parametrize("kinds", ["audio legacy", "audio new"])
def test_sound_comes_from_where_the_source_is(habitat, mesh, kinds):
    habitat(kinds)
    with pytest.warns(LicenceNotice):
        hall = world(mesh)
    assert hall.audio == "habitat"
    dwelling = hall.open("hall")
    heads = dwelling.scene.graph.heads
    trial = probe.draw_trial(dwelling.scene)
    for source in trial.sources:
        response = dwelling.acoustics.rir(source, trial.listener, NORTH)
        assert response.shape == (2, 16000)
        assert response.dtype == np.float32
        offset = heads[source] - heads[trial.listener]
        expected = np.linalg.norm(offset) / SPEED_OF_SOUND * SAMPLE_RATE
        assert abs(np.argmax(response.max(axis=0)) - expected) <= 1.5
        assert np.sign(response[0].max() - response[1].max()) == -np.sign(offset[0].round(3))
        assert response.mean(axis=0).max() * np.linalg.norm(offset) == pytest.approx(1, rel=0.01)
    out = np.empty((1, 2, 16000), np.float32)
    dwelling.acoustics.rirs_into(np.array(trial.sources[:1]), trial.listener, WEST, out)
    heard = dwelling.acoustics.rir(trial.sources[0], trial.listener, WEST)
    np.testing.assert_array_equal(out[0], heard)


def test_a_build_that_misplaces_sources_is_refused(habitat, mesh):
    habitat("audio legacy misplaced")
    with pytest.warns(LicenceNotice):
        hall = world(mesh)
    with pytest.raises(SourcePositionError, match=r'0\.3\.3 .*issues/2632.*audio="traced"'):
        hall.open("hall")


@pytest.mark.parametrize("kinds", ["no-audio legacy", "audio legacy misplaced"])
def test_pictures_of_theirs_go_with_sound_of_ours(habitat, mesh, kinds):
    habitat(kinds)
    hall = world(mesh, audio="traced")
    dwelling = hall.open("hall")
    assert isinstance(dwelling.acoustics, TracedAcoustics)
    rgb, depth = dwelling.views.view(0, NORTH)
    assert (rgb.shape, rgb.dtype) == ((128, 128, 3), np.uint8)
    assert (depth.shape, depth.dtype) == ((128, 128, 1), np.float32)
    assert 0 < depth.min() <= depth.max() <= 1
    assert not np.array_equal(depth, dwelling.views.view(0, WEST)[1])
    rgb[:] = 0
    assert dwelling.views.view(0, NORTH)[0].any()  # everybody's arrays are their own


def test_without_audio_the_sensor_is_never_made(habitat, mesh):
    """The stand-in would end this process."""
    habitat("no-audio legacy")
    assert world(mesh).audio == "traced"
    with pytest.raises(HabitatError, match='built without audio; audio="traced"'):
        world(mesh, audio="habitat")


def test_a_process_that_dies_is_reported(habitat, mesh):
    scene = shoebox(flat(0.2))
    habitat("no-audio legacy", apart=True)
    with pytest.raises(HabitatError, match=r"ended the process.*built without audio"):
        probe.latency(SceneFiles(str(mesh)), scene)


def test_a_mesh_that_habitat_turns_otherwise_is_refused(habitat, mesh):
    habitat("no-audio legacy turned")
    with pytest.raises(HabitatError, match=r"hall\.ply.*m from where the file has them"):
        world(mesh).open("hall")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_process_opens_a_simulator_of_its_own(habitat, mesh):
    habitat("no-audio legacy")
    views = world(mesh).open("hall").views
    seen = views.view(0, NORTH)[0]
    child = os.fork()
    if child == 0:
        views._seen.cache_clear()
        os._exit(0 if np.array_equal(views.view(0, NORTH)[0], seen) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_tasks_walk_in_it(habitat, mesh):
    habitat("no-audio legacy")
    open_world.cache_clear()
    options = {"backend": "habitat", "root": mesh, "audio": "traced", "min_source_distance": 1.0}
    env = gym.make("AVDynamicSep-v0", start="target", **options)
    observation, _ = env.reset(seed=0)
    assert observation["rgb"].any()
    env.step(0)
    env.close()
    open_world.cache_clear()


def test_scenes_are_files(tmp_path):
    for name in ("b.glb", "a.ply", "notes.txt", "all.scene_dataset_config.json"):
        (tmp_path / name).write_text("")
    assert list(scene_files(str(tmp_path), None)) == ["a", "b"]
    assert list(scene_files(str(tmp_path), ["b"])) == ["b"]
    config = str(tmp_path / "all.scene_dataset_config.json")
    (found,) = scene_files(config, ["b.glb"]).values()
    assert found[1].dataset == config
    for root, scenes, message in (
        (None, None, "root must be"),
        (str(tmp_path / "nowhere"), None, "root must be"),
        (str(tmp_path), ["c"], r"no meshes of \['c'\]; it has \['a', 'b'\]"),
        (str(tmp_path), "b", "list of names"),
        (config, None, "scenes must name mesh files"),
        (config, ["c.glb"], r"c\.glb does not exist"),
    ):
        with pytest.raises(ValueError, match=message):
            scene_files(root, scenes)


def test_options_are_checked(habitat, mesh):
    habitat("audio legacy")
    with pytest.raises(ValueError, match="audio must be one of auto, habitat, traced"):
        world(mesh, audio="loud")
    with pytest.raises(ValueError, match="a head of its own"):
        world(mesh, hrtf="mine.sofa")
    with pytest.raises(ValueError, match="there is no scene 'cellar'; there is hall"):
        world(mesh, audio="traced").open("cellar")


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("habitat_sim") is None, reason="habitat-sim is not installed"
)
def test_the_real_one_opens_a_mesh(mesh):
    dwelling = world(mesh, audio="traced").open("hall")
    assert dwelling.views.view(0, NORTH)[0].any()
    assert np.isfinite(dwelling.acoustics.rir(0, 1, NORTH)).all()
