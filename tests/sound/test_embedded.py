"""The embedded corpus keeps its promises for every clip of every class."""

import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
from listening import quietest_second

from av_envs.sound import CLIP_RMS, SAMPLE_RATE, SPLITS, open_corpus
from av_envs.sound.embedded import CLIPS_PER_SPLIT, N_VOICES, EmbeddedCorpus

ONE_OF_EACH = ("music/train-0", "ambience/val-0", "voice-03/test-0")
PLACES = np.arange(24_000, 320_000, 37_000)  # samples that stand for a clip
GOLDEN = {
    "music/train-0": [596, -1806, -1419, -1140, -699, 58, 660, -204],
    "ambience/val-0": [-2460, 3150, -1514, 1093, -1840, 1630, 792, 5214],
    "voice-03/test-0": [-541, 34, -5, -5065, 97, -21, 773, -2035],
}


def every_clip(corpus):
    for class_name in corpus.classes:
        for split in SPLITS:
            yield from corpus.clips(split, class_name)


def test_there_are_voices_music_and_ambience(corpus):
    voices = tuple(f"voice-{i:02d}" for i in range(N_VOICES))
    assert corpus.classes == ("music", "ambience", *voices)
    assert corpus.target_classes == ("music", *voices)
    assert {split: len(corpus.clips(split, "music")) for split in SPLITS} == CLIPS_PER_SPLIT


def test_every_clip_is_loud_long_and_never_silent(corpus):
    for clip in every_clip(corpus):
        samples = corpus.samples(clip)
        assert (samples.dtype, samples.shape) == (np.float32, (20 * SAMPLE_RATE,)), clip
        exact = samples.astype(np.float64)
        assert np.sqrt(np.mean(exact**2)) == pytest.approx(CLIP_RMS, rel=1e-4), clip
        assert abs(exact.mean()) < 1e-5, clip
        assert np.abs(exact).max() < 0.99, clip
        assert quietest_second(samples) > 0.15, clip
        assert not samples.flags.writeable, clip


def test_no_two_clips_share_a_second(corpus):
    starts = {
        corpus.samples(clip)[k : k + 400].tobytes()
        for clip in every_clip(corpus)
        for k in range(0, 320_000, 16_000)
    }
    assert len(starts) == 20 * len(list(every_clip(corpus)))


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


def test_more_voices_change_none_of_the_others(corpus, empty_cache):
    more = EmbeddedCorpus(n_voices=N_VOICES + 3)
    assert more.classes[: len(corpus.classes)] == corpus.classes
    for clip in ONE_OF_EACH:
        np.testing.assert_array_equal(more.samples(clip), corpus.samples(clip))


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
