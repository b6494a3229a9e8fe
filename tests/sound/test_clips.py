"""Windows wrap exactly, clips are equally loud, and unknown names are answered with a list."""

import numpy as np
import pytest

from av_envs.sound import CLIP_RMS, SAMPLE_RATE, open_corpus, second, seconds, window
from av_envs.sound.clips import RecentClips, check_choice, normalised, root_mean_square


@pytest.fixture
def ramp():
    return np.arange(3 * SAMPLE_RATE, dtype=np.float32)


@pytest.mark.parametrize("k", range(-4, 8))
def test_a_second_is_the_clip_in_a_loop(ramp, k):
    expected = np.arange(k * SAMPLE_RATE, (k + 1) * SAMPLE_RATE) % len(ramp)
    np.testing.assert_array_equal(second(ramp, k), expected)


@pytest.mark.parametrize("k", range(-4, 8))
def test_a_window_is_the_second_before_and_this_one(ramp, k):
    expected = np.arange((k - 1) * SAMPLE_RATE, (k + 1) * SAMPLE_RATE) % len(ramp)
    np.testing.assert_array_equal(window(ramp, k), expected)


def test_a_clip_of_one_second_follows_itself():
    clip = np.arange(SAMPLE_RATE)
    assert seconds(clip) == 1
    np.testing.assert_array_equal(window(clip, 5), np.concatenate([clip, clip]))


def test_normalising_a_tone_only_scales_it():
    tone = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    np.testing.assert_allclose(normalised(3 * tone + 0.5), CLIP_RMS * 2**0.5 * tone, atol=1e-6)


def test_rare_clicks_are_rounded_off_but_as_loud_as_everything_else():
    clicks = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    clicks[5::2000] = 60  # without rounding they would reach 2
    loud = clicks * CLIP_RMS / root_mean_square(clicks)
    assert np.abs(loud).max() > 1
    clip = normalised(clicks)
    assert np.abs(clip).max() < 1
    assert root_mean_square(clip) == pytest.approx(CLIP_RMS, rel=1e-6)


def test_many_clicks_are_rounded_off():
    clicks = np.zeros(SAMPLE_RATE)
    clicks[::200] = [(-1) ** i for i in range(80)]  # crest factor 14: peaks would reach 0.85
    clip = normalised(clicks)
    assert np.abs(clip).max() < 1
    assert root_mean_square(clip) == pytest.approx(CLIP_RMS, rel=1e-6)


@pytest.mark.parametrize(
    ("clip", "reason"), [(np.full(99, 0.3), "silent"), (np.eye(1, 16_000)[0], "click")]
)
def test_what_has_no_loudness_is_refused(clip, reason):
    with pytest.raises(ValueError, match=reason):
        normalised(clip)


def test_recent_clips_are_read_once_and_the_oldest_forgotten():
    reads = []

    def read(clip):
        reads.append(clip)
        return np.zeros(10)

    recent = RecentClips(capacity=25)
    for clip in "abaca":  # "b" is the one not heard for longest when "c" comes
        recent.get(clip, read)
    assert reads == ["a", "b", "c"]
    recent.get("b", read)
    assert reads == ["a", "b", "c", "b"]


def test_a_clip_too_long_for_the_memory_still_plays():
    recent = RecentClips(capacity=5)
    assert len(recent.get("long", lambda clip: np.zeros(100))) == 100


def test_recent_clips_cannot_be_changed():
    clip = RecentClips().get("a", lambda clip: np.zeros(10))
    with pytest.raises(ValueError, match="read-only"):
        clip[0] = 1


def test_an_unknown_choice_lists_the_valid_ones():
    with pytest.raises(ValueError, match="unknown class 'cat'; valid: dog, rain"):
        check_choice("class", "cat", ("dog", "rain"))


def test_a_long_list_of_choices_is_cut():
    with pytest.raises(ValueError, match=r"valid: 0, 1, .*, 119, \.\.\. \(500 in all\)"):
        check_choice("clip", "cat", [str(i) for i in range(500)])


def test_unknown_sounds_list_the_valid_ones():
    with pytest.raises(
        ValueError, match="unknown sounds 'voices'; valid: 'embedded', 'embedded-2' or"
    ):
        open_corpus("voices")
