"""Readers: sentences with stress and pauses, whose sounds move like those of real readers."""

import numpy as np
import pytest
from listening import quietest_second

from av_envs.sound.analysis.envelopes import envelope, levels, rise_times, syllabic_share
from av_envs.sound.analysis.measures import crest, modulation_peak, octave_levels, pitch_track
from av_envs.sound.synthesis.articulation import consonant, frames_of, vowel
from av_envs.sound.synthesis.lexicon import LEXICON, Word, sentence
from av_envs.sound.synthesis.phonemes import CONSONANTS, VOWELS
from av_envs.sound.synthesis.prosody import ACCENTED, PASSING, Contour, phones_of, said
from av_envs.sound.synthesis.reading import read_aloud, reader
from av_envs.sound.synthesis.room import in_a_room
from av_envs.sound.synthesis.speakers import speaker
from tests.sound.synthesis.test_voice import OCTAVES_OF_READERS

WATER = Word.spelt("w ao' t er")
THE = Word.spelt("dh ax")
LEVEL = Contour(start=0.0, fall=0.0, accent=0.0, turn=0.0)


@pytest.fixture(scope="module")
def readings():
    """Ten seconds each of readers far apart."""
    return [read_aloud(reader(i), 10, np.random.default_rng(i)) for i in range(0, 96, 12)]


def spoken(words, contour=LEVEL, seed=0):
    rng = np.random.default_rng(seed)
    phones = phones_of(words, rng)
    return phones, said(speaker(0), phones, contour, 1.0, rng)


def test_loudness_moves_between_2_and_8_hz_as_syllables_do(readings):
    shares = [syllabic_share(envelope(reading)) for reading in readings]
    assert min(shares) > 0.42
    assert np.mean(shares) == pytest.approx(0.55, abs=0.06)  # recorded readers: 0.52
    assert 3 < np.mean([modulation_peak(reading) for reading in readings]) < 5.5


def test_syllables_swell_and_do_not_click(readings):
    rises = np.concatenate([rise_times(reading) for reading in readings])
    assert 0.02 < np.median(rises) < 0.05
    assert np.percentile(rises, 10) > 0.008


def test_readers_measure_like_recorded_ones(readings):
    mean = np.mean([octave_levels(reading) for reading in readings], axis=0)
    # The lowest octave says how many of these few have low voices.
    assert np.abs(mean - OCTAVES_OF_READERS[0])[1:].max() < 3.5
    for reading in readings:
        pitches, voiced = pitch_track(reading)
        assert 0.4 < voiced < 0.7
        assert 2 < np.std(12 * np.log2(pitches / np.median(pitches))) < 7
        assert 15.5 < crest(reading) < 25.5
        assert quietest_second(reading) > 0.2


def test_pauses_are_quiet_but_no_dead_silence(readings):
    quiet = [np.percentile(levels(reading), 5) for reading in readings]
    assert max(quiet) < -15
    assert min(quiet) > -60


def test_a_reading_begins_and_ends_softly_and_can_be_read_again(readings):
    for reading in readings:
        assert np.abs(reading[[0, -1]]).max() < 1e-6
    again = read_aloud(reader(0), 10, np.random.default_rng(0))
    np.testing.assert_array_equal(again, readings[0])
    other = read_aloud(reader(0), 10, np.random.default_rng(1))
    assert abs(np.corrcoef(other, again)[0, 1]) < 0.1


def test_syllables_last_as_long_as_their_stress_says():
    weak, strong = [], []
    for seed in range(20):
        _, segments = spoken([THE, WATER, THE], seed=seed)
        lengths = {segment.phoneme.seconds: segment.frames / 400 for segment in segments[:-1]}
        weak.append(lengths[VOWELS["ax"].seconds] / VOWELS["ax"].seconds)
        strong.append(lengths[VOWELS["ao"].seconds] / VOWELS["ao"].seconds)
    assert np.mean(strong) / np.mean(weak) == pytest.approx(1.25 / 0.68 * 0.85 / 1.1, rel=0.1)


def test_the_last_syllable_of_a_phrase_is_drawn_out():
    twice = [spoken([WATER, WATER], seed=seed)[1] for seed in range(30)]
    ends = np.mean([segments[-1].frames for segments in twice])
    middles = [s for segments in twice for s in segments[:-1] if _is_er(s)]
    assert ends > 1.25 * np.mean([segment.frames for segment in middles])


def _is_er(segment):
    return segment.phoneme.formants == vowel(speaker(0), "er", 1, 0, 1, 0.65).phoneme.formants


def test_pitch_sinks_along_a_phrase_and_accents_rise_above_it():
    phones, _ = spoken([THE, WATER, THE, WATER])
    falling = Contour(start=1.0, fall=4.0, accent=0.0, turn=0.0)
    tones = [falling.tone(phone, i / len(phones), 1.0) for i, phone in enumerate(phones)]
    assert tones == sorted(tones, reverse=True)
    accented = Contour(start=0.0, fall=0.0, accent=5.0, turn=-3.0)
    assert accented.tone(phones[-3], 0.5, 1.0) == 5.0  # ao of the last "water"
    assert accented.tone(phones[0], 0.5, 1.0) == 0.0
    assert accented.tone(phones[-1], 0.5, 1.0) == -3.0


def test_the_last_stressed_word_is_always_accented():
    for seed in range(20):
        phones, _ = spoken([WATER, THE, WATER, THE], seed=seed)
        accented = [i for i, phone in enumerate(phones) if phone.stress == ACCENTED]
        assert {6, 7} <= set(accented)
        assert all(phones[i].stress == PASSING for i in (4, 5, 10, 11))


def test_no_breath_follows_a_plosive_in_a_cluster():
    near = vowel(speaker(0), "eh", 1.0, 0.0, 1.0).phoneme
    with_puff = consonant(speaker(0), "t", near, 1.0, 0.0, 1.0)
    assert [segment.aspiration > 0 for segment in with_puff] == [False, False, True]
    assert len(consonant(speaker(0), "t", near, 1.0, 0.0, 1.0, puff=False)) == 2
    _, segments = spoken([Word.spelt("s t ey'")])
    assert not any(segment.aspiration for segment in segments)


def test_affricates_are_released_slowly():
    near = VOWELS["iy"]
    release = consonant(speaker(0), "ch", near, 1.0, 0.0, 1.0)[1]
    assert release.frames == frames_of(0.055)
    assert CONSONANTS["t"].release < 0.02


def test_weak_syllables_are_duller_and_softer():
    _, segments = spoken([THE, WATER])
    weak, strong = segments[1], max(segments, key=lambda segment: segment.voicing)
    assert weak.effort < 0.5 * strong.effort
    assert weak.voicing < 0.7 * strong.voicing


def test_words_are_spelt_in_known_phonemes():
    assert WATER == (("w", "ao", "t", "er"), 1)
    assert Word.spelt("dh ax").stress == -1
    with pytest.raises(ValueError, match=r"no word is spelt 'x uh m'; unknown: \['x'\]"):
        Word.spelt("x uh m")
    with pytest.raises(ValueError, match="no word is spelt"):
        Word.spelt("iy' iy'")


def test_every_phrase_has_a_stressed_word():
    assert all(word.stress >= 0 for kind in ("noun", "verb") for word in LEXICON[kind])
    for seed in range(50):
        phrases = sentence(np.random.default_rng(seed))
        assert 1 <= len(phrases) <= 3
        assert all(any(word.stress >= 0 for word in phrase) for phrase in phrases)


def test_a_room_adds_what_it_is_told_and_takes_that_long_to_fall_silent():
    click = np.zeros(16_000)
    click[0] = 1.0
    heard = in_a_room(click, 0.5, 0.4, np.random.default_rng(0))
    added = heard - click
    assert np.sqrt(np.sum(added**2)) == pytest.approx(0.5, rel=1e-4)
    assert np.abs(added[:60]).max() < 1e-6
    early, late = (np.sum(added[at : at + 1600] ** 2) for at in (0, 3200))
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=3)  # half the time
    assert np.abs(added[6400:]).max() < 1e-6
