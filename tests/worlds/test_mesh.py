"""Both tasks in a mesh file, and what is said where a place is too small for them."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import av_envs  # noqa: F401
from av_envs.worlds import inspect_mesh
from av_envs.worlds.base import open_pool, world_settings
from av_envs.worlds.mesh import MeshWorld

trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")

SMALL = {"min_source_distance": 2.0, "start": "target"}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """A folder with two rooms: tall.glb of 5 x 4 m, and wide.ply of 7 x 4 m."""
    folder = tmp_path_factory.mktemp("rooms")
    for name, width in (("tall.glb", 5), ("wide.ply", 7)):
        shell = trimesh.creation.box(bounds=[(0, 0, 0), (width, 4, 2.6)])
        shell.invert()
        shell.export(folder / name)
    return folder


@pytest.mark.parametrize(
    ("env_id", "options"), [("AVDynamicSep-v0", SMALL), ("AVRIRMeasure-v0", {"grid": 1.0})]
)
def test_both_tasks_pass_the_checker_in_a_mesh(rooms, env_id, options):
    env = gym.make(env_id, backend="mesh", root=str(rooms / "tall.glb"), up="z", **options)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_an_episode_is_seen_and_heard_and_the_same_again(rooms):
    episodes = []
    for _ in range(2):
        env = gym.make("AVDynamicSep-v0", backend="mesh", root=rooms / "wide.ply", **SMALL)
        seen = [env.reset(seed=3)[0]]
        seen += [env.step(0)[0] for _ in range(2)]
        episodes.append(seen)
        env.close()
    for one, other in zip(*episodes, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])
    assert episodes[0][0]["mixture"].any()
    assert np.ptp(episodes[0][0]["rgb"]) > 20
    assert 0 < episodes[0][0]["depth"].max() <= 1


def test_a_place_too_small_for_the_rules_says_which_option_to_change(rooms):
    tall = {"backend": "mesh", "root": rooms / "tall.glb", "up": "z"}
    env = gym.make("AVDynamicSep-v0", start="near", **tall)
    with pytest.raises(
        ValueError,
        match=r"no room for 2 sources 8 m apart .*: 1 fits 8 m apart; 2 fit [567] m apart: "
        "ask for a smaller min_source_distance or num_sources",
    ):
        env.reset(seed=0)
    env = gym.make("AVFarSep-v0", min_source_distance=2.0, **tall)
    with pytest.raises(ValueError, match="leave no 'far' start; ask for another start"):
        env.reset(seed=0)


def test_a_folder_holds_a_dwelling_per_file(rooms):
    settings = world_settings("mesh", {"root": rooms}, grid=1.0, hrtf="kemar")
    for split in ("train", "val", "test"):
        pool = open_pool(settings, split, 32)
        assert pool.size == 2
        assert [Path(name).name for name in pool.names] == ["tall.glb", "wide.ply"]
    assert len(pool.world.open(pool.names[1]).scene.graph) > 20


def test_folders_of_splits_hold_their_own(rooms, tmp_path):
    for split, name in (("train", "tall.glb"), ("test", "wide.ply")):
        (tmp_path / split).mkdir()
        (tmp_path / split / name).write_bytes((rooms / name).read_bytes())
    world = MeshWorld(grid=1.0, root=str(tmp_path))
    assert [len(world.names(split)) for split in ("train", "val", "test")] == [1, 0, 1]
    with pytest.raises(ValueError, match="the split 'val' of backend 'mesh' has no dwelling"):
        open_pool(world_settings("mesh", {"root": tmp_path}, grid=1.0, hrtf="kemar"), "val", 1)
    with pytest.raises(ValueError, match=r"dwelling 'cave' does not exist; there is .*tall\.glb"):
        world.open("cave")


def test_wrong_options_are_refused_at_once(rooms, tmp_path):
    for options, message in (
        ({}, "root must be a mesh file or a folder of them, got None"),
        ({"root": str(tmp_path / "no")}, "no' does not exist"),
        ({"root": str(tmp_path)}, "holds no mesh file; formats are .obj"),
        ({"root": str(rooms), "default": "mud"}, "no material is called 'mud'"),
        ({"root": str(rooms), "unit": "km"}, "unit 'km' does not exist"),
        ({"root": str(rooms), "up": "north"}, "up 'north' does not exist"),
    ):
        with pytest.raises(ValueError, match=message):
            gym.make("AVDynamicSep-v0", backend="mesh", **options)
    with pytest.raises(TypeError, match="unknown option 'units'"):
        gym.make("AVDynamicSep-v0", backend="mesh", root=str(rooms), units="m")


def test_the_command_prints_the_report_and_draws_the_map(rooms, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image", reason="textures need pillow")
    out = tmp_path / "room.png"
    inspect_mesh.main([str(rooms / "tall.glb"), "--up", "z", "--grid", "0.5", "--out", str(out)])
    printed = capsys.readouterr().out
    assert "tall: 5.00 x 4.00 m, 2.60 m high" in printed
    assert "up         z (as asked for)" in printed
    picture = np.asarray(image.open(out))
    assert picture.shape == (608, 992, 3)
    assert (picture.reshape(-1, 3) == inspect_mesh.BLUE).all(axis=1).sum() > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["no.glb"], "'no.glb' does not exist"), (["tall.glb", "--unit", "km"], "unit 'km' does not")],
)
def test_the_command_names_what_is_wrong(rooms, arguments, message, monkeypatch):
    monkeypatch.chdir(rooms)
    with pytest.raises(SystemExit, match=f"error: .*{message}"):
        inspect_mesh.main(arguments)
