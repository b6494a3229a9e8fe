"""The embedded corpus keeps its promises: a sample of its clips here, all of them if slow."""

import os
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from listening import quietest_second

from av_envs.sound import CLIP_RMS, SAMPLE_RATE, SPLITS, open_corpus
from av_envs.sound.embedded import CLIPS_PER_SPLIT, N_VOICES, EmbeddedCorpus

ONE_OF_EACH = ("music/train-0", "ambience/val-0", "voice-03/test-0")
SAMPLE = (
    *("music/train-1", "music/val-0", "music/test-0", "ambience/train-2", "ambience/test-0"),
    *(f"voice-{i:02d}/{split}-0" for i in range(5, 100, 19) for split in ("train", "test")),
)
PLACES = np.arange(24_000, 320_000, 37_000)  # samples that stand for a clip
GOLDEN = {
    "music/train-0": [160, 1719, 1443, 1300, 2286, 506, -2424, -1417],
    "ambience/val-0": [923, 391, -1803, 214, -1344, -1239, 1752, 1861],
    "voice-03/test-0": [419, -452, 19, 915, -621, -7022, 342, 1402],
}


def clips_of(corpus, classes):
    return [c for name in classes for split in SPLITS for c in corpus.clips(split, name)]


def check(corpus, clip):
    samples = corpus.samples(clip)
    assert (samples.dtype, samples.shape) == (np.float32, (20 * SAMPLE_RATE,)), clip
    exact = samples.astype(np.float64)
    assert np.sqrt(np.mean(exact**2)) == pytest.approx(CLIP_RMS, rel=1e-4), clip
    assert abs(exact.mean()) < 1e-3 * CLIP_RMS, clip  # rounding off peaks shifts it a little
    assert np.abs(exact).max() < 0.99, clip
    assert quietest_second(samples) > 0.15, clip
    assert not samples.flags.writeable, clip


def seconds_that_differ(corpus, clips):
    return len(
        {
            corpus.samples(clip)[k : k + 400].tobytes()
            for clip in clips
            for k in range(0, 320_000, 16_000)
        }
    )


def test_there_are_102_classes_of_voices_music_and_ambience():
    corpus = open_corpus("embedded")
    voices = tuple(f"voice-{i:02d}" for i in range(100))
    assert corpus.classes == ("music", "ambience", *voices)
    assert corpus.target_classes == ("music", *voices)
    assert {split: len(corpus.clips(split, "music")) for split in SPLITS} == CLIPS_PER_SPLIT
    assert CLIPS_PER_SPLIT == {"train": 3, "val": 1, "test": 1}
    every = clips_of(corpus, corpus.classes)
    assert len(set(every)) == len(every) == 510


@pytest.mark.slow
def test_clips_are_loud_long_and_never_silent(corpus):
    for clip in SAMPLE:
        check(corpus, clip)


@pytest.mark.slow
def test_clips_of_a_class_share_no_second(corpus):
    clips = clips_of(corpus, ("music", "ambience", "voice-03"))
    assert seconds_that_differ(corpus, clips) == 20 * len(clips)


@pytest.mark.slow
def test_all_clips_are_loud_long_never_silent_and_share_no_second(corpus):
    clips = clips_of(corpus, corpus.classes)
    for clip in clips:
        check(corpus, clip)
    assert seconds_that_differ(corpus, clips) == 20 * len(clips)


def test_a_clip_is_made_quickly(corpus):
    # 75 to 110 ms on one core; the bound leaves room for a busy machine.
    for class_name in ("voice-20", "music", "ambience"):
        start = time.thread_time()
        corpus._make(class_name, 0, 0)
        assert time.thread_time() - start < 0.4, class_name


@pytest.mark.slow
def test_clips_are_made_alike_in_another_cache_and_another_process(corpus, tmp_path):
    code = (
        "import zlib; from av_envs.sound import open_corpus; corpus = open_corpus('embedded');"
        f"print([zlib.crc32(corpus.samples(clip)) for clip in {ONE_OF_EACH}])"
    )
    surroundings = os.environ | {"AV_ENVS_CACHE": str(tmp_path), "PYTHONHASHSEED": "123"}
    made = subprocess.run(
        [sys.executable, "-c", code], env=surroundings, capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == str([zlib.crc32(corpus.samples(clip)) for clip in ONE_OF_EACH])


@pytest.mark.parametrize("clip", ONE_OF_EACH)
def test_sounds_are_those_of_this_version(corpus, clip):
    # If you changed a sound on purpose, raise VERSION in embedded.py and renew GOLDEN.
    found = np.round(corpus.samples(clip)[PLACES] * 32_767).astype(int)
    np.testing.assert_allclose(found, GOLDEN[clip], atol=8)


@pytest.mark.parametrize("n_voices", [10, N_VOICES + 3])
def test_fewer_or_more_voices_change_none_of_the_others(corpus, empty_cache, n_voices):
    other = EmbeddedCorpus(n_voices)
    n = min(len(other.classes), len(corpus.classes))
    assert len(other.classes) == n_voices + 2
    assert other.classes[:n] == corpus.classes[:n]
    for clip in ONE_OF_EACH:
        np.testing.assert_array_equal(other.samples(clip), corpus.samples(clip))


def test_a_clip_is_made_once(corpus, empty_cache, monkeypatch):
    first = open_corpus("embedded").samples("ambience/val-0")
    monkeypatch.setattr(EmbeddedCorpus, "_make", None)
    again = open_corpus("embedded")
    np.testing.assert_array_equal(again.samples("ambience/val-0"), first)
    assert again.samples("ambience/val-0") is again.samples("ambience/val-0")


def test_unknown_names_list_the_valid_ones(corpus):
    with pytest.raises(ValueError, match="unknown split 'dev'; valid: train, val, test"):
        corpus.clips("dev", "music")
    with pytest.raises(ValueError, match="unknown class 'dog'; valid: music, ambience, voice-00"):
        corpus.clips("train", "dog")
    with pytest.raises(ValueError, match="unknown clip 'music/train-7'; valid: music/train-0"):
        corpus.samples("music/train-7")
    with pytest.raises(ValueError, match="n_voices must be at least 1, got 0"):
        EmbeddedCorpus(n_voices=0)
