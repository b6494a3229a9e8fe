"""Folders of sound in the naming of the papers."""

import json

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from av_envs.sound import CLIP_RMS, SAMPLE_RATE
from av_envs.soundspaces.writing import sounds
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.files import on_disk
from av_envs.soundspaces.writing.projects import PROJECTS, class_names, open_sounds, sound_name
from av_envs.worlds.base import WorldSettings


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path / "tree", WorldSettings())


@pytest.fixture
def recordings(tmp_path):
    """Three clips of two classes, one of them with an underscore in its name."""
    rng = np.random.default_rng(0)
    for name in ("big_dog", "cat"):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for k in range(3):
            noise = 0.1 * rng.standard_normal(2 * SAMPLE_RATE)
            soundfile.write(tmp_path / "clips" / name / f"{k}.wav", noise, SAMPLE_RATE)
    return str(tmp_path / "clips")


def test_classes_are_those_that_the_projects_know():
    dynamic, labels = class_names("aavidss", "embedded")
    corpus = open_sounds("aavidss", "embedded")
    called = dict(zip(corpus.classes, zip(dynamic, labels, strict=True), strict=True))
    assert called["music"] == ("music", 14)
    assert called["ambience"] == ("esc", 81)
    assert called["voice-00"] == ("8474", 0)
    assert called["voice-99"] == ("5656", 101)
    assert sorted(labels) == list(range(102))
    static, labels = class_names("aaviss", "embedded")
    assert set(static) == set(PROJECTS["aaviss"].classes)
    assert dict(zip(static, labels, strict=True))["esc"] == 11
    for project in PROJECTS.values():
        assert len(set(project.classes)) == len(project.classes)
        assert not any("_" in name for name in project.classes)


def test_own_recordings_keep_their_names(recordings):
    assert class_names("aavidss", recordings) == (("big-dog", "cat"), (0, 1))
    assert sound_name("big-dog", "train", 3, 7).split("_")[0] == "big-dog"


def test_classes_that_would_be_one_are_refused(recordings, tmp_path):
    (tmp_path / "clips" / "big_dog").rename(tmp_path / "clips" / "c_at")
    (tmp_path / "clips" / "cat").rename(tmp_path / "clips" / "c-at")
    with pytest.raises(ValueError, match="differ by '_' and '-' only"):
        class_names("aaviss", recordings)


def test_a_clip_becomes_one_file_and_one_for_each_second(export, recordings):
    clips = sounds.clips_of("aavidss", recordings)
    assert len(clips) == 6
    clip = ("aavidss", "train", "big_dog", 0)
    assert not sounds.is_complete(export, clip, recordings)
    sounds.write_clip(export, clip, recordings)
    assert sounds.is_complete(export, clip, recordings)
    root = export.root / "audio_data" / "libriSpeech100Classes_MITMusic_ESC50"
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.wav"))
    assert names == [
        "1s_chunks/train_preprocessed/big-dog_train000-000.wav",
        "1s_chunks/train_preprocessed/big-dog_train000-001.wav",
        "min20s_clips/train_preprocessed/big-dog_train000.wav",
    ]
    (rate, second), (_, whole) = (wavfile.read(root / names[k]) for k in (1, 2))
    assert (rate, second.dtype, second.shape) == (SAMPLE_RATE, np.int16, (SAMPLE_RATE,))
    assert (whole[SAMPLE_RATE:] == second).all()
    samples = open_sounds("aavidss", recordings).samples("big_dog/0.wav")
    assert np.abs(whole - samples * (400 / CLIP_RMS)).max() <= 0.51
    assert np.sqrt(np.mean(np.square(whole, dtype=float))) == pytest.approx(400, rel=0.01)
    paths = [root / name for name in names]
    assert sounds.clip_bytes(clip, recordings) == sum(on_disk(p.stat().st_size) for p in paths)


def test_the_unheard_test_has_no_seconds_and_navigation_one_folder(export, recordings):
    sounds.write_clip(export, ("aavidss", "test", "cat", 0), recordings)
    sounds.write_clip(export, ("audionav", "val", "cat", 0), recordings)
    names = sorted(path.relative_to(export.root).as_posix() for path in export.root.rglob("*.wav"))
    assert names == [
        "audio_data/libriSpeech100Classes_MITMusic_ESC50/min20s_clips/testUnheard_preprocessed/"
        "cat_test000.wav",
        "sounds/1s_all/cat_val000-000.wav",
        "sounds/1s_all/cat_val000-001.wav",
    ]


def test_beside_the_folders_is_told_what_they_hold(export, recordings):
    sounds.write_notes(export, "aaviss", recordings)
    folder = export.root / "audio_data" / "VoxCelebV1TenClasses_MITMusic_ESC50"
    assert json.loads((folder / "classes.json").read_text()) == {"big-dog": 0, "cat": 1}
    assert repr(recordings) in (folder / "README.txt").read_text()


def test_the_loudest_sample_leaves_room_for_a_room():
    loudest = 0.98 * sounds.RMS / CLIP_RMS  # clips never reach 1
    assert 4 * loudest < 32_768
