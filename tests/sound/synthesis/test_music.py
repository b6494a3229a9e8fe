"""Instruments play the notes they are given; pieces are in their key and never stop."""

import numpy as np
import pytest
from listening import quietest_second, share_between, tone_frequency

from av_envs.sound.synthesis.instruments import BASSES, CHORDS, LEADS, Note, Ringing, Singing
from av_envs.sound.synthesis.music import (
    FIGURES,
    MAJOR,
    PROGRESSIONS,
    Style,
    _chords,
    _melody,
    music,
)

INSTRUMENTS = LEADS | BASSES
A_MAJOR = Style(0.25, 57, MAJOR, PROGRESSIONS[0], FIGURES[0])


def played(instrument, note, seconds=2):
    out = np.zeros(seconds * 16_000)
    instrument.play(note, out, np.random.default_rng(0))
    return out


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("pitch", [45, 69, 84])
def test_an_instrument_plays_in_tune(name, pitch):
    note = Note(0.1, 1.5, pitch)
    out = played(INSTRUMENTS[name], note)
    partial = tone_frequency(out[4000:20_000]) / note.frequency
    ratios = getattr(INSTRUMENTS[name], "ratios", range(1, 20))
    cents = np.abs(1200 * np.log2(partial / np.array(list(ratios))))
    assert cents.min() < 12  # a vibrato may lean a little to one side


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_note_is_silent_before_its_start_and_after_its_end(name):
    out = played(INSTRUMENTS[name], Note(0.5, 0.5, 69))
    assert not out[:8000].any()
    assert np.abs(out[8000:16_000]).max() > 100 * np.abs(out[24_000:]).max()


def test_a_ringing_note_falls_by_60_db_in_its_time():
    bar = Ringing((1.0,), dullness=0.0, seconds=0.8)
    out = played(bar, Note(0.0, 2.0, 69))
    level = [np.sqrt(np.mean(out[start : start + 800] ** 2)) for start in (0, 6400)]
    assert 20 * np.log10(level[0] / level[1]) == pytest.approx(30, abs=0.2)  # half the time


def test_a_pluck_in_the_middle_has_no_even_partials():
    string = Ringing((1.0, 2.0, 3.0), dullness=0.0, seconds=5.0, position=0.5)
    out = played(string, Note(0.0, 2.0, 57))
    assert share_between(out, 400, 480) < 1e-3 < share_between(out, 620, 700)


def test_a_pipe_closed_at_one_end_has_hardly_any_even_harmonics():
    pipe = Singing(1.0, 0.05, (1000,), attack=0.03, vibrato=0.0, breath=0.0)
    out = played(pipe, Note(0.0, 2.0, 69))
    assert share_between(out, 840, 920) < 0.01 * share_between(out, 400, 480)


def test_a_high_note_has_no_aliases():
    pipe = Singing(0.5, 1.0, (1000,), attack=0.03, vibrato=0.0, breath=0.0)
    out = played(pipe, Note(0.0, 2.0, 93.0))[8000:24_000]
    power = np.abs(np.fft.rfft(out * np.hanning(len(out)))) ** 2  # 1 Hz bins
    near = np.abs((np.arange(len(power)) + 880) % 1760 - 880) < 4
    assert power[~near].sum() < 1e-5 * power.sum()


def test_melody_and_chords_are_in_the_key():
    notes = _melody(A_MAJOR, 16, np.random.default_rng(0)) + _chords(A_MAJOR, 16)
    assert {(note.pitch - 57) % 12 for note in notes} <= set(MAJOR)


def test_every_bar_of_the_melody_is_full():
    notes = _melody(A_MAJOR, 8, np.random.default_rng(1))
    ends = [note.start + note.length / 0.95 for note in notes]
    np.testing.assert_allclose(ends[:-1], [note.start for note in notes[1:]], atol=1e-9)
    assert ends[-1] == pytest.approx(8 * 8 * 0.25)


@pytest.mark.parametrize("seed", range(6))
def test_music_never_stops_and_falls_towards_high_frequencies(seed):
    sound = music(20, np.random.default_rng(seed))
    assert sound.shape == (320_000,)
    assert quietest_second(sound) > 0.4
    assert share_between(sound, 0, 2000) > share_between(sound, 2000, 8000)


def test_pieces_follow_each_other_without_a_gap_or_a_click():
    sound = music(20, np.random.default_rng(3))
    levels = np.sqrt(np.mean(sound.reshape(2, -1) ** 2, axis=1))
    np.testing.assert_allclose(levels, 1, rtol=1e-6)
    assert np.abs(sound[159_999]) < 0.01
    short = music(3, np.random.default_rng(3))
    assert short.shape == (48_000,)


def test_chord_instruments_are_instruments():
    assert set(CHORDS) <= set(LEADS)
