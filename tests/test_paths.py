"""A path means the same to every option: text or object, "~", suffix in any case."""

import argparse
import json
import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import soundfile
from gymnasium.envs.registration import EnvSpec
from sofa_files import write_head

import av_envs  # noqa: F401
from av_envs.acoustics import load_hrtf
from av_envs.acoustics.binaural import ear_tables
from av_envs.acoustics.measured.backend import RecordedAcoustics
from av_envs.acoustics.sofa import read_sofa
from av_envs.paths import path_argument, path_text, plain_paths, suffix_of, user_path
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.predictors.nearest_neighbor import NearestNeighbor
from av_envs.scene import House
from av_envs.scene.importing import read_gazebo_world, read_mesh
from av_envs.scene.importing.floorplans import read_mlstruct
from av_envs.scene.importing.mesh_file import read_surfaces
from av_envs.separation.config import SeparationConfig
from av_envs.sound import open_corpus
from av_envs.sound.folder import FolderCorpus
from av_envs.sound.importing import Import, import_corpus
from av_envs.soundspaces.habitat.world import scene_files
from av_envs.soundspaces.rlr import RLRAcoustics, RLRConfig
from av_envs.worlds.mesh import MeshWorld


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_a_path_is_what_the_user_means(home):
    expected = home / "heads" / "A.SOFA"
    for given in ("~/heads/A.SOFA", Path("~/heads/A.SOFA"), str(expected), expected):
        assert user_path(given) == path_argument(given) == expected
        assert suffix_of(given) == ".sofa"


@pytest.mark.parametrize("value", [None, 3, "", b"head.sofa", "a\0b", ["a"]])
def test_what_is_no_path_is_named_with_its_option(value):
    for read in (user_path, path_text):
        with pytest.raises(ValueError, match="hrtf must be a path, got "):
            read(value, "hrtf")


def test_a_home_that_nobody_has_is_named():
    with pytest.raises(ValueError, match=r"sounds: nobody knows the home .* '~no-such-user-x/a'"):
        user_path("~no-such-user-x/a", "sounds")
    with pytest.raises(argparse.ArgumentTypeError, match="nobody knows the home"):
        path_argument("~no-such-user-x/a")


def test_a_path_object_is_never_a_built_in_name():
    assert path_text("kemar", "hrtf", ["kemar"]) == "kemar"
    assert Path(path_text(Path("kemar"), "hrtf", ["kemar"])) == Path("kemar")
    assert path_text(Path("kemar"), "hrtf", ["kemar"]) != "kemar"


def test_paths_become_texts_however_deep_they_lie():
    given = {"root": Path("a"), "more": [Path("b"), (Path("c"), 1)], "grid": 1.0}
    assert plain_paths(given) == {"root": "a", "more": ["b", ("c", 1)], "grid": 1.0}


@pytest.mark.parametrize("config_type", [SeparationConfig, MeasureConfig])
def test_options_keep_paths_as_texts(config_type):
    config = config_type.from_keywords(
        hrtf=Path("~/head.sofa"), backend="mesh", root=Path("rooms"), backend_options={"up": "z"}
    )
    assert config.hrtf == config.world.hrtf == "~/head.sofa"
    assert config.backend_options == {"up": "z", "root": "rooms"}
    assert json.loads(config.world.options)["root"] == "rooms"
    with pytest.raises(ValueError, match="hrtf must be a path, got 3"):
        config_type(hrtf=3)


def write_corpus(folder):
    for i in range(3):
        (folder / "dog").mkdir(parents=True, exist_ok=True)
        tone = 0.1 * np.sin(np.arange(16_000) * (1 + i) / 9)
        soundfile.write(folder / "dog" / f"{i}.WAV", tone, 16_000, format="WAV")


def write_table(file):
    response = np.pad([[0.9, 0.9]], [(20, 20), (0, 0)])
    soundfile.write(file.parent / "0.WAV", response, 16_000, format="WAV")
    names = [f"{who}_{axis}" for who in ("source", "receiver") for axis in "xyz"]
    rows = [["file", *names, "heading"], ["0.WAV", "1", "0", "1.5", "0", "0", "1.5", "0"]]
    file.write_text("\n".join(",".join(row) for row in rows))


def write_rooms(file):
    trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")
    shell = trimesh.creation.box(bounds=[(0, 0, 0), (5, 4, 2.6)])
    shell.invert()
    file.write_bytes(trimesh.exchange.obj.export_obj(shell).encode())


def write_world(file):
    write_rooms(file.parent / "shape.obj")
    model = file.parent / "models" / "shell"
    model.mkdir(parents=True)
    (file.parent / "shape.obj").rename(model / "shape.obj")
    shape = "<geometry><mesh><uri>model://shell/shape.obj</uri></mesh></geometry>"
    (model / "model.sdf").write_text(
        f'<sdf version="1.6"><model name="shell"><link name="l"><collision name="c">{shape}'
        "</collision></link></model></sdf>"
    )
    file.write_text(
        '<sdf version="1.6"><world name="w"><model name="RoomWall_1"><include>'
        "<uri>model://shell</uri></include></model></world></sdf>"
    )


def read_imported(source):
    out = Path(tempfile.mkdtemp()) / "out"
    return import_corpus(source, out, Import("music", seconds=1))


def write_folder(folder):
    folder.mkdir()
    (folder / "ROOM.GLB").touch()


def write_plan(file):
    file.write_text('{"slab": {}, "rect": {}}')


def write_npz(file):
    with file.open("wb") as opened:
        np.savez(opened, features=np.ones((1, 3)), rirs=np.ones((1, 2, 9)))


READERS = {  # {option or function: (name of the file, who writes it, who reads it)}
    "hrtf": ("HEAD.SOFA", write_head, load_hrtf),
    "head": ("HEAD.SOFA", write_head, read_sofa),
    "ears": ("HEAD.SOFA", write_head, ear_tables),
    "sounds": ("dogs", write_corpus, open_corpus),
    "corpus": ("dogs", write_corpus, FolderCorpus),
    "import": ("dogs", write_corpus, read_imported),
    "room": ("ROOM.CSV", write_table, RecordedAcoustics.open),
    "mesh": ("ROOM.OBJ", write_rooms, read_mesh),
    "surfaces": ("ROOM.OBJ", write_rooms, read_surfaces),
    "root": ("ROOM.OBJ", write_rooms, lambda path: MeshWorld(grid=1.0, root=path)),
    "habitat": ("ROOM.GLB", Path.touch, lambda path: scene_files(path, None)),
    "habitat folder": ("rooms", write_folder, lambda path: scene_files(path, None)),
    "world": ("HOME.WORLD", write_world, read_gazebo_world),
    "plan": ("PLAN.JSON", write_plan, read_mlstruct),
    "table": ("RIRS.NPZ", write_npz, NearestNeighbor.from_file),
}


@pytest.mark.parametrize("option", READERS)
def test_every_option_reads_paths_alike(home, option):
    name, write, read = READERS[option]
    write(home / name)
    for given in (f"~/{name}", Path("~") / name, str(home / name), home / name):
        read(given)


def test_the_models_of_a_world_may_be_anywhere(home):
    write_world(home / "home.world")
    (home / "models").rename(home / "elsewhere")
    for models in ("~/elsewhere", Path("~/elsewhere")):
        read_gazebo_world("~/home.world", models=models)


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize("env_id", ["AVDynamicSep-v0", "AVRIRMeasure-v0"])
def test_environments_with_paths_survive_json(home, make, env_id):
    write_head(home / "HEAD.SOFA")
    write_corpus(home / "dogs")
    options = {"hrtf": Path("~/HEAD.SOFA"), "houses": 1}
    if env_id == "AVDynamicSep-v0":
        options["sounds"] = home / "dogs"
    env = make(env_id, **options)
    text = env.unwrapped.spec.to_json()
    assert json.loads(text)["kwargs"]["hrtf"] == "~/HEAD.SOFA"
    assert make(EnvSpec.from_json(text)).unwrapped.spec.to_json() == text


def test_faulty_heads_are_refused_when_an_environment_is_made(home):
    write_head(home / "a.sofa", ReceiverPosition=[[0, -0.09, 0], [0, 0.09, 0]])
    for env_id in ("AVDynamicSep-v0", "AVRIRMeasure-v0"):
        with pytest.raises(ValueError, match=r"a.sofa: sources on the left are louder"):
            gym.make(env_id, hrtf="~/a.sofa", houses=1)
        with pytest.raises(FileNotFoundError, match=r"no SOFA file at .*b.sofa"):
            gym.make(env_id, hrtf=home / "b.sofa", houses=1)
    with pytest.raises(ValueError, match=r"a.sofa: sources on the left are louder"):
        RLRAcoustics(House(3).scene(), RLRConfig(hrtf="~/a.sofa"))


@pytest.mark.parametrize("folder", ["av_envs", "agents", "baselines", "benchmarks"])
def test_nobody_reads_paths_on_his_own(folder):
    """Commands take `path_argument`, and "~" is expanded in one module and for the cache."""
    root = Path(__file__).resolve().parent.parent
    for file in (root / folder).rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "type=Path" not in text, file
        assert "expanduser" not in text or file.stem in ("paths", "rows"), file
