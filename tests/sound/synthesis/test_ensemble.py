"""Composed music: motifs in a key, patterns that fill bars, ensembles that move."""

import numpy as np
import pytest
from listening import quietest_second

from av_envs.sound.analysis.envelopes import levels, onset_rate
from av_envs.sound.analysis.statistics import MUSIC_COLUMNS, music_measures
from av_envs.sound.synthesis import ensemble
from av_envs.sound.synthesis.accompaniment import (
    BASS_LINES,
    FIGURES,
    FILL,
    GROOVES,
    bass,
    chords,
    drum_kit,
    pad,
    percussion,
)
from av_envs.sound.synthesis.composition import (
    CADENCES,
    CELLS,
    FASTEST,
    FORMS,
    PHRASE_BARS,
    SLOWEST,
    Section,
    Song,
    melody,
    second_voice,
    song,
    strokes,
)
from av_envs.sound.synthesis.ensemble import LOW, PLAYERS, music_in_motion
from av_envs.sound.synthesis.instruments import Note, Ringing, Singing
from av_envs.sound.synthesis.music import MAJOR

EIGHT_BARS = Section(0, 8, (0, 5, 3, 4))
WALTZ_BARS = Section(2, 4, (0, 4))
PLAN = Song(0.5, 4, 0.0, 60, MAJOR, (EIGHT_BARS,))
WALTZ = Song(0.5, 3, 0.0, 60, MAJOR, (WALTZ_BARS,))


@pytest.fixture(scope="module")
def pieces():
    return [music_in_motion(20, np.random.default_rng([3, seed])) for seed in range(10)]


def test_every_pattern_fills_its_bar():
    for meter in (3, 4):
        found = [*CELLS[meter], *CADENCES[meter], *FIGURES[meter], *BASS_LINES[meter], FILL[meter]]
        found += [line for groove in GROOVES[meter] for line in groove.values()]
        assert {len(pattern) for pattern in found} == {4 * meter}
        assert {name for groove in GROOVES[meter] for name in groove} <= set(
            drum_kit(np.random.default_rng(0))
        )
    assert {len(form) for form in FORMS} == {PHRASE_BARS}


def test_patterns_are_read_in_beats():
    assert strokes("x---..x-") == [(0.0, 1.0, "x"), (1.5, 0.5, "x")]
    assert strokes("#.") == [(0.0, 0.25, "#")]


@pytest.mark.parametrize(("plan", "section"), [(PLAN, EIGHT_BARS), (WALTZ, WALTZ_BARS)])
def test_everything_is_in_the_key_and_in_its_section(plan, section):
    rng = np.random.default_rng(0)
    tune = melody(plan, section, rng)
    parts = [tune, second_voice(plan, section, tune), pad(plan, section)]
    parts.append(chords(plan, section, FIGURES[plan.meter][0], rng))
    first, end = (
        plan.meter * bar for bar in (section.first_bar, section.first_bar + section.n_bars)
    )
    for events in parts:
        assert {(event.pitch - 60) % 12 for event in events} <= set(MAJOR)
        assert first <= min(event.beat for event in events)
        assert max(event.beat for event in events) < end


def test_motifs_come_back_and_phrases_end_on_a_held_tone_of_the_chord():
    for seed in range(10):
        tune = melody(PLAN, EIGHT_BARS, np.random.default_rng(seed))
        bars = [[e for e in tune if 4 * bar <= e.beat < 4 * bar + 4] for bar in range(8)]
        rhythms = [[(e.beat % 4, e.length) for e in bar] for bar in bars]
        assert rhythms[:3] == rhythms[4:7]  # the same form in both phrases
        assert len({tuple(rhythm) for rhythm in rhythms[:3]}) > 1 or rhythms[0] == rhythms[1]
        for bar in (3, 7):
            held = max(bars[bar], key=lambda e: e.length)
            assert held.length >= 2
            assert (held.pitch - 60) % 12 in {7, 11, 2}  # the chord on the fifth degree


def test_melodies_wander_but_stay_in_range():
    for seed in range(10):
        pitches = [e.pitch for e in melody(PLAN, EIGHT_BARS, np.random.default_rng(seed))]
        assert len(set(pitches)) >= 5
        assert max(pitches) - min(pitches) <= 20


def test_a_bass_stays_low():
    for line in BASS_LINES[4]:
        notes = bass(PLAN, EIGHT_BARS, line, np.random.default_rng(0))
        assert all(31 <= note.pitch <= 54 for note in notes)
        assert notes[0].pitch % 12 == 0  # the root


def test_a_swung_eighth_is_late_and_nothing_else_is():
    swung = Song(0.5, 4, 0.16, 60, MAJOR, (EIGHT_BARS,))
    assert [swung.seconds(beat) for beat in (1.0, 1.5, 1.25)] == [0.5, 0.83, 0.625]


def test_plans_have_the_tempo_of_music_and_two_sections():
    for seed in range(30):
        plan = song(20, np.random.default_rng(seed))
        assert SLOWEST <= 60 / plan.beat <= FASTEST
        first, second = plan.sections
        assert second.first_bar == first.n_bars
        assert (first.n_bars + second.n_bars) * plan.meter * plan.beat >= 20
        assert first.progression != second.progression


def test_drums_are_where_the_groove_has_them():
    out = np.zeros(8 * 16_000)
    percussion(PLAN, Section(0, 4, (0,)), {"kick": "X......." * 2}, out, np.random.default_rng(0))
    assert onset_rate(out[: 6 * 16_000]) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("stroke", drum_kit(np.random.default_rng(0)))
def test_a_stroke_rises_within_milliseconds_and_ends_in_silence(stroke):
    sound = drum_kit(np.random.default_rng(1))[stroke]
    assert np.abs(sound[0]) < 1e-6
    assert np.abs(sound[-2:]).max() < 1e-3 * np.abs(sound).max()


@pytest.mark.parametrize("name", [*PLAYERS, *LOW])
def test_players_neither_click_nor_whistle(name):
    out = np.zeros(32_000)
    (PLAYERS | LOW)[name].play(Note(0.1, 1.0, 60), out, np.random.default_rng(0))
    assert np.abs(out[1600:1604]).max() < 0.1 * np.abs(out).max()
    power = np.abs(np.fft.rfft(out)) ** 2
    assert power[4 * 2000 :].sum() < 0.1 * power.sum()  # above 4 kHz


def test_knock_rise_ebb_and_ceiling_do_what_they_say():
    rng = np.random.default_rng
    plain, knocking = Ringing((1.0,), 0.0, 2.0), Ringing((1.0,), 0.0, 2.0, knock=1.0, rise=0.01)
    outs = [np.zeros(16_000) for _ in range(4)]
    plain.play(Note(0.0, 1.0, 69), outs[0], rng(0))
    knocking.play(Note(0.0, 1.0, 69), outs[1], rng(0))
    assert np.abs((outs[1] - outs[0])[:400]).max() > 0.1
    np.testing.assert_allclose(outs[1][1000:], outs[0][1000:], atol=1e-6)
    held = Singing(1.0, 1.0, (800,), 0.03, 0.0, 0.0)
    ebbing = Singing(1.0, 1.0, (800,), 0.03, 0.0, 0.0, ebb=0.5, ceiling=1000.0)
    held.play(Note(0.0, 0.9, 69), outs[2], rng(0))
    ebbing.play(Note(0.0, 0.9, 69), outs[3], rng(0))
    late = [np.std(out[12_000:13_000]) for out in outs[2:]]
    assert late[1] < 0.6 * late[0]
    treble = [
        np.abs(np.fft.rfft(out))[3000:].sum() / np.abs(np.fft.rfft(out)).sum() for out in outs[2:]
    ]
    assert treble[1] < 0.5 * treble[0]


def test_pieces_move_like_music(pieces):
    found = dict(
        zip(MUSIC_COLUMNS, np.transpose([music_measures(p)[7:] for p in pieces]), strict=True)
    )
    assert found["onsets /s"].min() > 2
    assert 3.5 < found["onsets /s"].mean() < 7.5
    assert 0.9 < found["flux dB"].mean() < 2
    assert found["pitches"].min() > 4
    assert found["range dB"].mean() > 7
    assert (found["crest dB"] < 25).all()


def test_pieces_never_stop_and_end_softly(pieces):
    for piece in pieces:
        assert piece.shape == (320_000,)
        assert quietest_second(piece) > 0.2
        assert np.abs(piece[-1]) < 1e-6
        assert (levels(piece) > -75).mean() > 0.98  # no dead silence


def test_an_ensemble_has_several_instruments(monkeypatch):
    heard = {}
    real = ensemble._compose

    def listen(plan, kind, tracks, rng):
        real(plan, kind, tracks, rng)
        heard.setdefault(kind, []).append({n for n, track in tracks.items() if track.any()})

    monkeypatch.setattr(ensemble, "_compose", listen)
    for seed in range(8):
        music_in_motion(8, np.random.default_rng([4, seed]))
    assert {"melody", "chords", "bass"} <= set.intersection(*(p for k in heard.values() for p in k))
    assert any("drums" in parts for parts in heard["band"])


def test_the_same_generator_gives_the_same_piece(pieces):
    again = music_in_motion(20, np.random.default_rng([3, 0]))
    np.testing.assert_array_equal(again, pieces[0])
    assert abs(np.corrcoef(pieces[0], pieces[1])[0, 1]) < 0.1
