"""Any recording becomes a clip of the common form, and every bad file is named at once."""

import numpy as np
import pytest
import soundfile
from listening import quietest_second, share_between, tone_frequency

from av_envs.sound import CLIP_RMS, SPLITS, open_corpus
from av_envs.sound.folder import FolderCorpus
from av_envs.sound.preparation import (
    LONGEST_PAUSE,
    prepared,
    resampled,
    without_long_pauses,
    without_quiet_seconds,
)

RNG = np.random.default_rng(0)


def tone(hertz, rate, seconds=2.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def write(path, samples=None, rate=16_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = tone(RNG.uniform(200, 2000), rate) if samples is None else samples
    soundfile.write(path, 0.5 * samples, rate)


@pytest.fixture
def root(tmp_path):
    for i in range(5):
        write(tmp_path / "dog" / f"{i}.wav")
        write(tmp_path / "rain" / "deeper" / f"{i}.flac")
    return tmp_path


@pytest.mark.parametrize("rate", [44_100, 48_000, 22_050, 8000, 16_000])
def test_resampling_keeps_the_frequency_and_the_duration(rate):
    clip = resampled(tone(1000, rate), rate)
    assert abs(len(clip) - 32_000) <= 1
    assert tone_frequency(clip[1000:-1000]) == pytest.approx(1000, abs=0.01)
    np.testing.assert_allclose(clip[1000:31_000], tone(1000, 16_000)[1000:31_000], atol=2e-3)


def test_resampling_removes_what_16_khz_cannot_hold():
    assert np.std(resampled(tone(10_000, 44_100), 44_100)[1000:-1000]) < 1e-3


def test_channels_are_averaged():
    left, right = tone(500, 16_000), tone(900, 16_000)
    clip = prepared(np.stack([left, right], axis=1), 16_000)
    np.testing.assert_allclose(clip, prepared(left + right, 16_000), atol=1e-6)


@pytest.mark.parametrize(("length", "seconds"), [(0.3, 1), (1.0, 1), (2.9, 2)])
def test_a_clip_is_whole_seconds(length, seconds):
    assert len(prepared(tone(440, 16_000, length), 16_000)) == 16_000 * seconds


def test_a_short_clip_is_repeated():
    clip = prepared(RNG.standard_normal(4000), 16_000)
    np.testing.assert_array_equal(clip, np.tile(clip[:4000], 4))


def test_long_pauses_are_cut_and_short_ones_kept():
    noise = RNG.standard_normal(16_000)
    long_pause, short_pause = np.zeros(5 * 16_000), np.zeros(6400)
    kept = without_long_pauses(np.concatenate([noise, long_pause, noise, short_pause, noise]))
    assert len(kept) == 3 * 16_000 + 6400 + LONGEST_PAUSE * 16_000
    np.testing.assert_array_equal(kept[:16_000], noise)
    np.testing.assert_array_equal(kept[-16_000:], noise)


def test_seconds_that_are_quiet_all_the_same_are_left_out():
    levels = np.array([1.0, 0.05, 1.0, 0.3])
    kept = without_quiet_seconds(np.repeat(levels, 16_000))
    np.testing.assert_array_equal(kept, np.repeat(levels[[0, 2, 3]], 16_000))


def test_a_bark_in_silence_becomes_a_clip_without_silent_seconds():
    recording = np.zeros(5 * 44_100)
    recording[88_200:97_000] = RNG.standard_normal(8800)
    clip = prepared(recording + 0.2, 44_100)
    assert quietest_second(clip) > 0.1
    assert abs(clip.mean()) < 1e-5


def test_samples_are_a_clip_of_the_corpus(root):
    corpus = open_corpus(str(root))
    assert corpus.classes == corpus.target_classes == ("dog", "rain")
    clip = corpus.samples("rain/deeper/0.flac")
    assert (clip.dtype, clip.shape) == (np.float32, (32_000,))
    assert np.sqrt(np.mean(clip.astype(float) ** 2)) == pytest.approx(CLIP_RMS, rel=1e-5)
    assert clip is corpus.samples("rain/deeper/0.flac")
    assert not clip.flags.writeable


def test_clips_are_divided_by_name(root):
    corpus = FolderCorpus(root)
    assert corpus.clips("train", "dog") == ("dog/0.wav", "dog/1.wav", "dog/2.wav")
    assert corpus.clips("val", "dog") == ("dog/3.wav",)
    assert corpus.clips("test", "dog") == ("dog/4.wav",)


@pytest.mark.parametrize(("count", "sizes"), [(3, (1, 1, 1)), (10, (6, 2, 2)), (17, (11, 3, 3))])
def test_about_a_fifth_is_held_out_twice(tmp_path, count, sizes):
    for i in range(count):
        write(tmp_path / "dog" / f"{i:02d}.wav", tone(300, 16_000, 0.1))
    corpus = FolderCorpus(tmp_path)
    assert tuple(len(corpus.clips(split, "dog")) for split in SPLITS) == sizes


def test_split_folders_are_the_splits(tmp_path):
    for i, split in enumerate(SPLITS):
        for k in range(i + 1):
            write(tmp_path / split / "dog" / f"{k}.wav")
    corpus = FolderCorpus(tmp_path)
    assert corpus.classes == ("dog",)
    assert [len(corpus.clips(split, "dog")) for split in SPLITS] == [1, 2, 3]
    assert corpus.clips("val", "dog")[0] == "val/dog/0.wav"


def test_flat_folders_and_distractors(tmp_path):
    for name in ("ann", "bob"):
        for i in range(3):
            write(tmp_path / f"{name}-{i}.wav")
    corpus = FolderCorpus(
        tmp_path, distractors=["bob"], class_of=lambda path: path.name.split("-")[0]
    )
    assert (corpus.classes, corpus.target_classes) == (("ann", "bob"), ("ann",))


def test_all_faults_are_told_in_one_error(root):
    write(root / "dog" / "silent.wav", np.zeros(16_000))
    write(root / "dog" / "cancelling.wav", tone(300, 16_000)[:, None] * [1, -1])
    write(root / "dog" / "empty.wav", np.zeros(0))
    (root / "rain" / "broken.ogg").write_bytes(b"not a sound")
    write(root / "loose.wav")
    (root / "cat").mkdir()
    (root / "cat" / "picture.jpg").write_bytes(b"miaow")
    write(root / "bell" / "1.wav")
    (root / "dog" / "notes.txt").write_text("ignored: this class has sounds")
    with pytest.raises(ValueError, match="as a corpus") as caught:
        FolderCorpus(root)
    faults = str(caught.value).splitlines()[1:]
    expected = (
        "dog/cancelling.wav: is silent",
        "dog/empty.wav: is empty",
        "dog/silent.wav: is silent",
        "loose.wav: belongs to no class",
        "rain/broken.ogg: is no sound file",
        "class 'bell': nothing for train, val, test; 1 usable",
        "class 'cat': nothing for train, val, test; 0 usable sound files, not sound files: cat/pic",
    )
    assert len(faults) == len(expected)
    for fault, beginning in zip(faults, expected, strict=True):
        assert fault.strip().startswith(beginning)


def test_folders_that_are_none(root, tmp_path):
    with pytest.raises(ValueError, match="not a directory"):
        FolderCorpus(root / "nowhere")
    (root / "bare").mkdir()
    with pytest.raises(ValueError, match=r"no \.wav, \.flac, \.ogg file"):
        FolderCorpus(root / "bare")


def test_unknown_names_list_the_valid_ones(root):
    corpus = FolderCorpus(root)
    with pytest.raises(ValueError, match="unknown split 'dev'; valid: train, val, test"):
        corpus.clips("dev", "dog")
    with pytest.raises(ValueError, match="unknown class 'cat'; valid: dog, rain"):
        corpus.clips("train", "cat")
    with pytest.raises(ValueError, match=r"unknown clip 'dog/9.wav'; valid: dog/0.wav, dog/1.wav"):
        corpus.samples("dog/9.wav")
    with pytest.raises(ValueError, match="unknown distractor class 'cat'; valid: dog, rain"):
        FolderCorpus(root, distractors=["cat"])
    with pytest.raises(ValueError, match="no target is left"):
        FolderCorpus(root, distractors=["dog", "rain"])


@pytest.mark.slow
def test_real_surroundings_become_clips(real_data):
    living = ("Dog_bark", "Baby_cry", "Person_sneeze", "Rooster")
    corpus = FolderCorpus(
        real_data / "env",
        distractors=["thing"],
        class_of=lambda path: "living" if path.parts[0][4:] in living else "thing",
    )
    assert corpus.target_classes == ("living",)
    for class_name in corpus.classes:
        for clip in corpus.clips("test", class_name):
            samples = corpus.samples(clip)
            assert np.sqrt(np.mean(samples.astype(float) ** 2)) == pytest.approx(CLIP_RMS, rel=1e-4)
            assert quietest_second(samples) > 0.09, clip


@pytest.mark.slow
def test_a_real_class_that_is_too_small_is_named(real_data):
    with pytest.raises(ValueError, match="class '003_Sea_waves': nothing for train, val, test; 2"):
        FolderCorpus(real_data / "env")


@pytest.mark.slow
def test_real_readers_keep_their_spectra(real_data):
    corpus = FolderCorpus(real_data / "speech", class_of=lambda path: path.name[0])
    for clip in corpus.clips("test", "1"):
        original, rate = soundfile.read(corpus.root / clip)
        assert rate == 16_000
        change = share_between(corpus.samples(clip), 0, 1000) - share_between(original, 0, 1000)
        assert abs(change) < 0.05
