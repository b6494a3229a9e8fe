"""Refiners that learn from recordings in the layout of RWAVS."""

import json

import numpy as np
import pytest
import torch

from av_envs.agents import fitting
from av_envs.agents.refinement import Refined, recordings
from av_envs.agents.refinement.recordings import main
from av_envs.agents.refinement.refiner import is_regression
from tests.agents.refinement.rwavs_folder import write_folder, write_views

pytestmark = pytest.mark.usefixtures("one_torch_thread")
BRIEF = ["--updates", "4", "--val-every", "2", "--samples", "1500", "--threads", "1"]
BRIEF += ["--steps", "1"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("rwavs") / "data")


@pytest.fixture(scope="module")
def undisturbed(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "one"
    assert main(["--folder", str(folder), "--out", str(out), *BRIEF]) == 0
    return out


def test_every_recording_teaches_one_refiner(undisturbed):
    found = json.loads((undisturbed / "errors.json").read_text())
    assert set(found) == {"1", "2"}
    for scene in found:
        header = Refined(undisturbed / scene / "best.safetensors").header
        assert header.made["recording"] == scene
        assert header.made["gain"] > 0
        assert set(found[scene]["refined"]) == {"mag", "env", "snr", "ild"}
        assert "/" not in json.dumps(header.made)  # no path of where it was made


def test_an_interrupted_run_goes_on_to_the_same_bits(folder, undisturbed, tmp_path, monkeypatch):
    out, update, seen = tmp_path / "run", fitting.Fitting.update, []
    words = ["--folder", str(folder), "--out", str(out), *BRIEF]

    def killed(self, batch):
        seen.append(self.updates)
        if len(seen) == 7:  # in the second refiner
            raise Killed
        return update(self, batch)

    monkeypatch.setattr(fitting, "SAVED_EVERY", 1)
    monkeypatch.setattr(fitting.Fitting, "update", killed)
    with pytest.raises(Killed):
        main(words)
    monkeypatch.setattr(fitting.Fitting, "update", update)
    assert main([*words, "--resume"]) == 0
    assert (out / "errors.json").read_bytes() == (undisturbed / "errors.json").read_bytes()
    for scene in "12":
        left = [(run / scene / "best.safetensors").read_bytes() for run in (out, undisturbed)]
        assert left[0] == left[1]


def test_it_learns_what_differs_in_all_recordings(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recordings.Run, "warm_up", 5)
    words = ["--folder", str(folder), "--out", str(tmp_path / "run"), "--updates", "80"]
    words += ["--val-every", "80", "--samples", "600", "--threads", "1", "--pose", "none"]
    words += ["--objective", "regression", "--learning-rate", "3e-3"]
    assert main(words) == 0
    for scene in "12":
        header = Refined(tmp_path / "run" / scene / "best.safetensors").header
        assert is_regression(header)
        assert header.made["val"]["error"] < 0.99 * header.made["val"]["error_before"]
    printed = capsys.readouterr().out
    assert printed.count("| mean |") == 2
    assert "| 2 | direct sound |" in printed


def test_views_are_told_where_there_are_any(folder, tmp_path, capsys):
    words = ["--folder", str(folder), "--out", str(tmp_path / "run"), "--views", *BRIEF]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "feats_train.npz and feats_val.npz must have" in capsys.readouterr().err
    for scene in "12":
        write_views(folder / scene)
    words[3] = str(tmp_path / "other")
    assert main(words) == 0
    refiner = Refined(tmp_path / "other" / "1" / "best.safetensors")
    assert refiner.config.network.view == 1024
    heard = np.random.default_rng(0).standard_normal((2, 3000)).astype(np.float32)
    pose, dry = np.zeros(12), heard[0]
    with torch.inference_mode():
        one, other = (refiner.refine(heard, pose, dry, view) for view in np.eye(2, 1024))
    assert not np.array_equal(one, other)


def without_position(folder):
    (folder / "position.json").unlink()


def without_a_recording(folder):
    (folder / "2" / "binaural_syn_re.wav").unlink()


def without_frames(folder):
    (folder / "2" / "transforms_scale_val.json").unlink()


def without_a_folder(folder):
    (folder / "2").rename(folder / "3")


def without_poses(folder):
    (folder / "1" / "transforms_scale_train.json").write_text('{"frames": []}')


def without_sound(folder):
    (folder / "1" / "transforms_scale_train.json").write_text('{"camera_path": []}')


def without_depth(folder):
    write_views(folder / "1")
    np.savez(folder / "1" / "feats_train.npz", names=["0"], rgb=np.zeros((1, 512)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_position, "position.json"),
        (without_a_recording, "binaural_syn_re.wav does not exist"),
        (without_frames, "transforms_scale_val.json"),
        (without_a_folder, "has no folder '2', which position.json names"),
        (without_poses, "transforms_scale_train.json: is no list of frames with poses"),
        (without_sound, "no clip in which something plays"),
        (without_depth, "feats_train.npz: needs names, rgb and depth of frames"),
    ],
)
def test_what_is_missing_is_named(tmp_path, capsys, damage, said):
    folder = write_folder(tmp_path / "data", seconds=4)
    damage(folder)
    try:
        status = main(["--folder", str(folder), "--out", str(tmp_path / "run"), *BRIEF])
    except SystemExit as left:
        status = left.code
    assert status in (1, 2)
    assert said in capsys.readouterr().err


def test_an_environment_of_the_data_set_must_be_there(folder, tmp_path, capsys):
    words = ["--folder", str(folder), "--out", str(tmp_path / "run"), "--environment", "office"]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "has no scene '3', which is of the office" in capsys.readouterr().err
