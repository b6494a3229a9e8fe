"""The second edition of the embedded corpus keeps the promises of the first, in its own sounds."""

import pickle
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_embedded import PLACES, check, clips_of, seconds_that_differ

from av_envs.separation.config import SeparationConfig
from av_envs.sound import SPLITS, open_corpus
from av_envs.sound.__main__ import main
from av_envs.sound.corpora import EMBEDDED
from av_envs.sound.editions import EDITIONS
from av_envs.sound.embedded import EmbeddedCorpus
from av_envs.soundspaces.writing.projects import class_names, open_sounds

SAMPLE = (
    *("music/train-1", "music/val-0", "music/test-0", "ambience/train-2"),
    *(f"voice-{i:02d}/{split}-0" for i in range(5, 100, 24) for split in ("train", "test")),
)
GOLDEN = {
    "music/train-0": [2308, -1119, -6005, -2650, -38, -147, -3004, -665],
    "voice-03/test-0": [605, 769, 129, -496, -2901, -3846, -1347, 111],
}


def test_every_edition_can_be_opened_by_its_name():
    assert tuple(EDITIONS) == EMBEDDED
    for name in EMBEDDED:
        assert open_corpus(name).edition == name
    with pytest.raises(ValueError, match="unknown edition '2'; valid: embedded, embedded-2"):
        EmbeddedCorpus(edition="2")


def test_classes_and_clips_are_called_as_in_the_first(second_edition):
    first = open_corpus("embedded")
    assert second_edition.classes == first.classes
    assert second_edition.target_classes == first.target_classes
    for split in SPLITS:
        assert second_edition.clips(split, "voice-07") == first.clips(split, "voice-07")


@pytest.mark.slow
def test_clips_are_loud_long_and_never_silent(second_edition):
    for clip in SAMPLE:
        check(second_edition, clip)


@pytest.mark.slow
def test_clips_of_a_class_share_no_second(second_edition):
    clips = clips_of(second_edition, ("music", "voice-03"))
    assert seconds_that_differ(second_edition, clips) == 20 * len(clips)


def test_voices_and_music_are_others_than_those_of_the_first(corpus, second_edition):
    for clip in ("voice-03/val-0", "music/val-0"):
        first, second = corpus.samples(clip), second_edition.samples(clip)
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    np.testing.assert_array_equal(
        corpus.samples("ambience/val-0"), second_edition.samples("ambience/val-0")
    )


@pytest.mark.parametrize("clip", GOLDEN)
def test_sounds_are_those_of_this_version(second_edition, clip):
    # If you changed a sound on purpose, raise its version in editions.py and renew GOLDEN.
    found = np.round(second_edition.samples(clip)[PLACES] * 32_767).astype(int)
    np.testing.assert_allclose(found, GOLDEN[clip], atol=8)


def test_editions_keep_their_clips_apart(empty_cache):
    first, second = (EmbeddedCorpus(2, name) for name in EMBEDDED)
    kept = first.samples("voice-01/val-0")
    assert not np.array_equal(second.samples("voice-01/val-0"), kept)
    again = EmbeddedCorpus(2, "embedded").samples("voice-01/val-0")
    np.testing.assert_array_equal(again, kept)


def test_a_copy_is_of_the_same_edition(second_edition):
    copy = pickle.loads(pickle.dumps(second_edition))
    assert (copy.edition, copy.classes) == ("embedded-2", second_edition.classes)


def test_a_clip_is_made_quickly(second_edition):
    # 75 to 150 ms on one core; the bound leaves room for a busy machine.
    for class_name in ("voice-20", "music"):
        start = time.thread_time()
        second_edition._make(class_name, 0, 0)
        assert time.thread_time() - start < 0.5, class_name


def test_the_environments_play_it_and_paths_remain_paths():
    assert SeparationConfig(sounds="embedded-2").sounds == "embedded-2"
    assert SeparationConfig(sounds=Path("embedded-2")).sounds == "./embedded-2"


def test_exports_name_its_classes_as_those_of_the_first():
    assert class_names("aaviss", "embedded-2") == class_names("aaviss", "embedded")
    assert open_sounds("aaviss", "embedded-2").edition == "embedded-2"


def test_the_command_writes_its_clips(second_edition, tmp_path):
    chosen = ["--sounds", "embedded-2", "--classes", "voice-03", "--splits", "test"]
    main([*chosen, "--out", str(tmp_path)])
    written = soundfile.read(tmp_path / "test" / "voice-03" / "000.wav")[0]
    np.testing.assert_allclose(written, second_edition.samples("voice-03/test-0"), atol=1e-4)
