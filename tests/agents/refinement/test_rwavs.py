"""The loader of RWAVS on a small folder in its layout."""

import json

import numpy as np
import pytest
import soundfile

from av_envs.agents.refinement.rwavs import ENVIRONMENTS, RATE, RwavsScene, folds

LENGTH = round(4.2 * RATE)


def pose_at(x: float, y: float, heading: float) -> list[list[float]]:
    pose = np.eye(4)
    pose[:2, 2], pose[:2, 3] = (np.cos(heading), np.sin(heading)), (x, y)
    return pose.tolist()


@pytest.fixture
def folder(tmp_path):
    """A scene of 4.2 s whose samples count, with frames out of order."""
    (scene := tmp_path / "9").mkdir()
    ramp = np.arange(LENGTH) / LENGTH
    soundfile.write(scene / "source_syn_re.wav", ramp, RATE, "FLOAT")
    soundfile.write(scene / "binaural_syn_re.wav", np.stack([ramp, -ramp], 1), RATE, "FLOAT")
    frames = [
        {"file_path": f"frames/{k:05d}.png", "camera_to_world": pose_at(0.1 * k, 0, np.pi / 2)}
        for k in (4, 0, 2, 5)
    ]
    text = json.dumps({"camera_path": frames})
    (scene / "transforms_scale_train.json").write_text(text)
    (scene / "transforms_scale_val.json").write_text(json.dumps({"camera_path": frames[2:3]}))
    (tmp_path / "position.json").write_text(json.dumps({"9": [0.2, 0.5, 0.1]}))
    return scene


def test_clips_are_one_second_around_their_frames(folder):
    clips = RwavsScene(folder).clips("train")
    assert [clip.second for clip in clips] == [0, 2, 4]  # of second 5 too little is left
    whole = clips[1]
    first = round(1.5 * RATE)
    assert whole.dry.shape == (RATE,)
    assert whole.heard.shape == (2, RATE)
    np.testing.assert_allclose(whole.dry[[0, -1]] * LENGTH, [first, first + RATE - 1], rtol=1e-6)
    assert np.array_equal(whole.heard[1], -whole.dry)


def test_clips_beyond_an_end_are_filled_with_zeros_behind(folder):
    start, _, end = RwavsScene(folder).clips("train")
    assert start.dry[1] > 0
    assert not start.dry[RATE // 2 :].any()
    left = LENGTH - round(3.5 * RATE)
    assert end.dry[left - 1] > 0
    assert not end.heard[:, left:].any()


def test_poses_are_relative_to_where_one_looks(folder):
    (clip,) = RwavsScene(folder).clips("val")
    np.testing.assert_allclose(clip.place, [0.2, 0])
    assert clip.azimuth == pytest.approx(0, abs=1e-12)  # the source is ahead
    turned = clip._replace(heading=np.array([1.0, 0.0]))
    assert turned.azimuth == pytest.approx(np.pi / 2)  # now to the left
    assert turned.pose[0] == pytest.approx(1)
    assert turned.pose[3] == pytest.approx(np.log(0.5))


def test_features_of_frames_are_optional(folder):
    assert RwavsScene(folder).clips("val")[0].view is None
    rgb, depth = np.full((1, 512), 2.0), np.full((1, 512), 3.0)
    np.savez(folder / "feats_val.npz", names=["00002"], rgb=rgb, depth=depth)
    view = RwavsScene(folder).clips("val")[0].view
    assert view.shape == (1024,)
    assert view[[0, -1]].tolist() == [2, 3]


def test_each_scene_trains_once():
    assert folds(["9", "10", "11"])[1] == ("10", ["9", "11"])
    assert sum(map(len, ENVIRONMENTS.values())) == 13
    with pytest.raises(ValueError, match="two scenes"):
        folds(["9"])


def damage_rate(folder):
    soundfile.write(folder / "source_syn_re.wav", np.zeros(100), 16_000)


def damage_channels(folder):
    soundfile.write(folder / "binaural_syn_re.wav", np.zeros(LENGTH), RATE)


def damage_length(folder):
    soundfile.write(folder / "binaural_syn_re.wav", np.zeros((100, 2)), RATE)


def damage_poses(folder):
    (folder / "transforms_scale_train.json").write_text('{"camera_path": [{"file_path": "x"}]}')


def damage_json(folder):
    (folder / "transforms_scale_train.json").write_text("{")


def damage_source(folder):
    (folder.parent / "position.json").write_text("{}")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_rate, "1 channels at 16000 Hz, wanted are 1 at 22050"),
        (damage_channels, "1 channels at 22050 Hz, wanted are 2"),
        (damage_length, "has 100 samples, the source has"),
        (damage_poses, "no list of frames with poses"),
        (damage_json, "is no JSON"),
        (damage_source, "has no scene '9'"),
    ],
    ids=lambda value: getattr(value, "__name__", "said"),
)
def test_damaged_folders_are_named(folder, damage, said):
    damage(folder)
    with pytest.raises(ValueError, match=said):
        RwavsScene(folder).clips("train")


def test_a_missing_recording_and_an_unknown_split_are_named(folder):
    with pytest.raises(ValueError, match="split 'test' does not exist"):
        RwavsScene(folder).clips("test")
    (folder / "source_syn_re.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"source_syn_re\.wav does not exist"):
        RwavsScene(folder).clips("train")
