"""The command that exports: what it says, what it refuses, and that it goes on where it stopped."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_scene import BACKEND, NAME, small_scene

from av_envs.separation.config import STARTS
from av_envs.soundspaces import export as command
from av_envs.soundspaces import export_options, layout
from av_envs.soundspaces.export import Wanted, scenes_of
from av_envs.soundspaces.writing import plan, responses
from av_envs.soundspaces.writing.projects import PROJECTS
from av_envs.worlds.base import BACKENDS, WorldSettings

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    monkeypatch.setitem(BACKENDS, "small", BACKEND)


@pytest.fixture
def run(tmp_path):
    """Runs the command on the small scene in this process."""
    for name in ("beep", "hum"):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for k in range(3):
            tone = np.sin(np.arange(16_000) * (k + len(name)) / 20)
            soundfile.write(tmp_path / "clips" / name / f"{k}.wav", tone, 16_000)
    common = ["--backend", "small", "--sounds", str(tmp_path / "clips"), "--workers", "1"]
    common += ["--start", "near", "--min-source-distance", "2", "--episodes", "2", "--passive", "3"]

    def run(*arguments):
        command.main(["--out", str(tmp_path / "tree"), *common, *arguments])
        return tmp_path / "tree"

    return run


def files(root):
    return {p.relative_to(root).as_posix(): p.stat().st_mtime_ns for p in root.rglob("*.*")}


def test_scenes_are_counted_or_named():
    world = WorldSettings()
    assert scenes_of(["train:2", "val:1"], world) == [
        Wanted("house-0", "train"),
        Wanted("house-1", "train"),
        Wanted("house-1000000", "val"),
    ]
    named = scenes_of(["house-2000007", "flat-3", "train:1", "house-0"], world)
    assert [one.split for one in named] == ["test", "train", "train"]  # house-0 only once
    assert scenes_of(["test:1"], WorldSettings(kind="flat"))[0].name == "flat-2000000"
    assert scenes_of([NAME], WorldSettings("small")) == [Wanted(NAME, "train")]
    for text, reason in (("train:0", "1 or more"), ("val:some", "1 or more")):
        with pytest.raises(ValueError, match=reason):
            scenes_of([text], world)
    with pytest.raises(ValueError, match="'train:2': the split 'train' has 1 dwellings"):
        scenes_of(["train:2"], WorldSettings("small"))


def test_a_dry_run_says_how_much_and_writes_nothing(run, tmp_path, capsys):
    root = run("--scenes", "train:1", "--dry-run")
    said = capsys.readouterr().out
    assert "256 responses: 0.03 GB" in said
    assert "32 views: 0.00 GB" in said
    assert f"0.04 GB are still to be written to {root}, whose disk has" in said
    assert not root.exists()


def test_everything_is_written_once(run, capsys):
    root = run("--scenes", "train:1")
    assert "splits: train_2episodes, train_nearTarget_1scenes_2episodes" in capsys.readouterr().out
    assert sorted(path.name for path in root.iterdir()) == [
        "active_datasets",
        "audio_data",
        "binaural_rirs",
        "metadata",
        "passive_datasets",
        "scene_datasets",
        "scene_observations",
    ]
    before = files(root)
    assert len([name for name in before if name.startswith("binaural_rirs/")]) == 256
    lost = root / "binaural_rirs" / "mp3d" / NAME / "180" / "3_5.wav"
    lost.unlink()
    run("--scenes", "train:1")
    said = capsys.readouterr()
    assert "1 responses: 0.00 GB" in said.out
    after = files(root)
    assert after.keys() == before.keys()
    slow = ("binaural_rirs/", "scene_observations/")
    changed = {name for name in after if after[name] != before[name] and name.startswith(slow)}
    assert changed == {lost.relative_to(root).as_posix()}


def test_parts_can_be_left_out(run):
    root = run("--scenes", NAME, "--parts", "views", "--dataset", "replica", "--kind", "flat")
    assert sorted(files(root)) == [
        f"metadata/replica/{NAME}/export.json",
        f"metadata/replica/{NAME}/graph.pkl",
        f"metadata/replica/{NAME}/points.txt",
        f"scene_observations/replica/{NAME}.pkl",
    ]


def test_meshes_are_written_on_demand(run):
    trimesh = pytest.importorskip("trimesh", reason="needs the extra [mesh]")
    root = run("--scenes", NAME, "--parts", "meshes")
    path = root / "scene_datasets" / "mp3d" / NAME / f"{NAME}.glb"
    (mesh,) = trimesh.load_scene(path, process=False).geometry.values()
    scene = small_scene()
    assert np.allclose(mesh.vertices, scene.triangles.reshape(-1, 3))  # z is up
    assert (mesh.visual.vertex_colors[::3, :3] == scene.colour).all()
    with pytest.raises(SystemExit, match="meshes are written for mp3d only, got 'replica'"):
        run("--scenes", NAME, "--parts", "meshes", "--dataset", "replica")


def test_a_full_disk_is_refused_with_both_numbers(run, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "free_bytes", lambda path: 20_000_000)
    with pytest.raises(SystemExit, match=r"0\.04 GB are missing, the disk has 0\.02 GB"):
        run("--scenes", NAME)
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--pairs", "near:3"], "episodes and passive examples need all pairs"),
        (["--pairs", "close"], "must be all or near:METRES, got 'close'"),
        (["--rate", "8000"], "rate must be 16000 or 44100 Hz, got 8000"),
        (["--sounds", "nowhere"], "unknown sounds 'nowhere'"),
        (["--option", "root=here"], "backend 'small' has no option 'root'; it has none"),
        (["--min-source-distance", "9"], "scene 'small-0': no room for 2 sources 9 m apart"),
    ],
)
def test_what_cannot_be_done_is_named(run, arguments, reason):
    with pytest.raises(SystemExit, match=f"error: .*{reason}"):
        run("--scenes", NAME, *arguments)


def test_another_export_in_the_same_folder_is_refused(run):
    run("--scenes", NAME, "--parts", "views")
    with pytest.raises(SystemExit, match="this scene was exported with trimmed False, not True"):
        run("--scenes", NAME, "--parts", "views", "--trim")


def test_options_of_a_backend_are_json_or_text():
    assert command._option("root=/a=b") == ("root", "/a=b")
    assert command._option("scale=0.5") == ("scale", 0.5)


def test_the_choices_are_those_there_are():
    assert export_options.DATASETS == layout.DATASETS
    assert tuple(PROJECTS) == export_options.PROJECTS
    assert export_options.STARTS == STARTS


def test_the_page_names_all_that_can_be_exported():
    page = (ROOT / "docs" / "soundspaces.md").read_text(encoding="utf-8")
    for name in (*export_options.PARTS, *PROJECTS):
        assert f"`{name}`" in page
    for option in set(re.findall(r"(?<=[ `(])--[a-z-]+", page)):
        assert option in export_options.build_parser().format_help()


@pytest.mark.parametrize("name", ["points.txt", "0_1.wav", "beep"])
def test_a_disk_that_fills_up_meanwhile_is_named(run, tmp_path, monkeypatch, name):
    write = Path.write_bytes

    def until_full(path, data):
        if name in path.name:
            raise OSError(28, "No space left on device")
        return write(path, data)

    parts = ["--parts", "responses", "sounds"]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", until_full)
        with pytest.raises(SystemExit, match=f"error: .*No space left on device: .*{name}"):
            run("--scenes", NAME, *parts)
    assert not list((tmp_path / "tree").rglob("*.draft"))
    assert list(run("--scenes", NAME, *parts).rglob(f"*{name}*"))  # goes on


def test_room_on_a_disk_is_known_before_the_folder_is_made(tmp_path):
    assert plan.free_bytes(tmp_path / "not" / "yet") == pytest.approx(
        plan.free_bytes(tmp_path), rel=0.01
    )


@pytest.mark.slow
def test_an_interrupted_export_goes_on_in_several_processes(tmp_path):
    """A flat of about forty nodes; what two processes write is what one would."""
    arguments = ["--scenes", "flat-9", "--out", str(tmp_path), "--pairs", "near:1"]
    arguments += ["--parts", "responses", "--workers", "2"]
    line = [sys.executable, "-m", "av_envs.soundspaces.export", *arguments]
    run = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "responses" in run.stdout
    written = sorted((tmp_path / "binaural_rirs").rglob("*.wav"))
    for path in written[::3]:
        path.unlink()
    subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted((tmp_path / "binaural_rirs").rglob("*.wav")) == written
    assert {p.stat().st_size for p in written} == {responses.response_bytes(16_000)}


def test_every_option_of_the_backend_counts(run):
    """Whether they are given at once or one after another."""
    with pytest.raises(SystemExit, match=r"has no option 'root'"):
        run("--scenes", NAME, "--option", "root=here", "--option", "other=1")
    with pytest.raises(SystemExit, match=r"has no option 'root'"):
        run("--scenes", NAME, "--option", "root=here", "other=1")
