"""A folder of clips can say which labels its classes have, and who only distracts."""

import json

import numpy as np
import pytest
import soundfile

from av_envs.sound import SPLITS, open_corpus
from av_envs.sound.description import Description, read_description

RATE = 16_000


@pytest.fixture
def root(tmp_path):
    """Half a second of noise and two seconds of nothing, again and again."""
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(4 * RATE)
    samples[RATE // 2 : 3 * RATE] = 0
    for split in SPLITS:
        for name in ("ann", "bob"):
            (tmp_path / split / name).mkdir(parents=True)
            soundfile.write(tmp_path / split / name / "0.wav", samples, RATE)
    return tmp_path


def test_labels_and_roles_are_those_of_the_file(root):
    assert open_corpus(str(root)).classes == ("ann", "bob")
    Description(("bob", "ann"), distractors=("ann",)).write(root)
    corpus = open_corpus(str(root))
    assert (corpus.classes, corpus.target_classes) == (("bob", "ann"), ("bob",))
    assert open_corpus(str(root), distractors=()).target_classes == ("bob", "ann")


def test_clips_that_are_uncut_stay_as_long_as_they_are(root):
    assert open_corpus(str(root)).n_seconds("train/ann/0.wav") < 4
    Description(("ann", "bob"), uncut=True).write(root)
    assert open_corpus(str(root)).n_seconds("train/ann/0.wav") == 4


def test_an_imported_folder_is_as_it_was_imported(root):
    """Its files are those that it lists, and one that is broken is named."""
    clips = {f"{split}/{name}/0.wav": ["x.wav"] for split in SPLITS for name in ("ann", "bob")}
    Description(("ann", "bob"), uncut=True, recordings=clips).write(root)
    corpus = open_corpus(root)
    assert corpus.clips("train", "ann") == ("train/ann/0.wav",)
    (root / "val" / "ann" / "0.wav").write_bytes(b"no sound")
    with pytest.raises(ValueError, match=r"val/ann/0.wav: is no sound file"):
        corpus.samples("val/ann/0.wav")
    with pytest.raises(ValueError, match=r"as a corpus:\n  val/ann/0.wav: is no sound file"):
        open_corpus(root)
    (root / "val" / "ann" / "0.wav").unlink()
    with pytest.raises(ValueError, match=r"corpus.json and the folders differ in: val/ann/0.wav"):
        open_corpus(root)


def test_clips_that_lie_in_no_split_are_named(tmp_path):
    soundfile.write(tmp_path / "0.wav", 0.1 * np.ones(9), RATE)
    Description(("ann",), recordings={"0.wav": []}).write(tmp_path)
    with pytest.raises(ValueError, match=r"corpus.json: the clip '0.wav' is in no folder split/cl"):
        open_corpus(tmp_path)


def test_what_is_written_is_read(tmp_path):
    assert read_description(tmp_path) is None
    told = Description(("b", "a"), ("a",), True, {"train/b/0000.flac": ["1.wav", "2.wav"]})
    told.write(tmp_path)
    assert read_description(tmp_path) == told
    assert json.loads((tmp_path / "corpus.json").read_text())["classes"] == {"b": 0, "a": 1}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "corpus.json does not describe a corpus"),
        ("[]", "corpus.json does not describe a corpus"),
        ('{"classes": ["ann", "bob"]}', "corpus.json does not describe a corpus"),
        ('{"classes": {"ann": 0, "bob": 2}}', "labels must be 0 to 1, each once"),
        ('{"classes": {"ann": 0, "eve": 1}}', "corpus.json and the folders differ in: bob, eve"),
        ('{"classes": {"ann": 0, "bob": 1}, "distractors": ["eve"]}', "distractor class 'eve'"),
    ],
)
def test_a_file_that_does_not_fit_is_named(root, content, named):
    (root / "corpus.json").write_text(content)
    with pytest.raises(ValueError, match=named):
        open_corpus(str(root))
