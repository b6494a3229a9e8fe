"""Ensembles: who plays a composed piece, and how it is mixed and heard."""

from dataclasses import replace

import numpy as np

from av_envs.sound.clips import SAMPLE_RATE, root_mean_square
from av_envs.sound.synthesis.accompaniment import (
    BASS_LINES,
    FIGURES,
    GROOVES,
    bass,
    chords,
    pad,
    percussion,
)
from av_envs.sound.synthesis.composition import Event, Song, melody, second_voice, song
from av_envs.sound.synthesis.instruments import BASSES, LEADS, Instrument, Note, Ringing, Singing
from av_envs.sound.synthesis.room import in_a_room

FADE = 800  # samples at the end of a piece
LATE = 0.007  # s, deviation of the players' timing
CEILING = 1.2  # over the highest resonance of the body
ARTICULATIONS = (0.5, 0.75, 0.95, 0.95)  # shares of its length that a note is held
KINDS = ("solo", "band", "band", "chamber", "band", "band")
HALL = (0.4, 1.1)  # s, reverberation times


def _touched(instrument: Instrument) -> Instrument:
    """With the noise of the hand, or a breath that ebbs away and a tone that is not shrill."""
    if isinstance(instrument, Ringing):
        return replace(instrument, knock=0.35, rise=0.004)
    ceiling = CEILING * max(instrument.body)
    return replace(instrument, ebb=0.5, ceiling=ceiling, attack=instrument.attack + 0.01)


# Bar ratios: Fletcher and Rossing, "The Physics of Musical Instruments", 1998.
PLAYERS: dict[str, Instrument] = {name: _touched(instrument) for name, instrument in LEADS.items()}
PLAYERS |= {
    "vibraphone": Ringing((1.0, 4.0, 10.0), 1.4, 3.0, knock=0.3, rise=0.004),
    "electric piano": Ringing((1.0, 2.0, 3.0, 7.0, 14.0), 1.5, 2.5, knock=0.2, rise=0.004),
    "saxophone": Singing(0.9, 0.8, (600, 1400), 0.05, 0.2, 0.08, ebb=0.4, ceiling=2000),
    "organ": Singing(1.2, 0.9, (500, 1800), 0.02, 0.06, 0.01, ceiling=2200),
    "strings": Singing(1.0, 1.0, (460, 900, 2700), 0.12, 0.25, 0.05, ceiling=3000),
}
SOLOISTS = ("piano", "guitar", "harp", "marimba", "vibraphone", "electric piano")
ACCOMPANISTS = ("guitar", "piano", "electric piano", "harp", "vibraphone", "banjo", "marimba")
HOLDERS = ("strings", "organ", "accordion")
LEADERS = tuple(name for name in PLAYERS if name not in ("strings", "organ"))
LOW: dict[str, Instrument] = {name: _touched(instrument) for name, instrument in BASSES.items()}
# How loud each part is, over the melody; twice as loud is 2.
LEVELS = {"melody": 1.0, "second": 0.5, "chords": 0.55, "pad": 0.3, "bass": 0.8, "drums": 0.85}


def music_in_motion(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, one piece of two sections, from its first beat on.

    The second section has another melody, another lead and other figures of the accompaniment.
    """
    plan = song(n_seconds, rng)
    tracks = {name: np.zeros(n_seconds * SAMPLE_RATE) for name in LEVELS}
    kind = _pick(KINDS, rng)
    _compose(plan, kind, tracks, rng)
    loud = {name: root_mean_square(track) for name, track in tracks.items()}
    mixed = sum(
        LEVELS[name] * rng.uniform(0.75, 1.25) / loud[name] * track
        for name, track in tracks.items()
        if loud[name] > 0
    )
    heard = in_a_room(mixed, rng.uniform(0.1, 0.3), rng.uniform(*HALL), rng)
    heard[-FADE:] *= np.linspace(1, 0, FADE)
    return heard


def _compose(
    plan: Song, kind: str, tracks: dict[str, np.ndarray], rng: np.random.Generator
) -> None:
    """Let everybody play into the tracks."""
    low = LOW[_pick(tuple(LOW), rng)]
    accompanist = PLAYERS[_pick(SOLOISTS if kind == "solo" else ACCOMPANISTS, rng)]
    holder = PLAYERS[_pick(HOLDERS, rng)]
    groove = _pick(GROOVES[plan.meter], rng)
    drums_from = int(rng.integers(2)) if kind == "band" else len(plan.sections)
    leads = [PLAYERS[name] for name in rng.permutation(LEADERS)[:2]]
    for i, section in enumerate(plan.sections):
        lead = accompanist if kind == "solo" else leads[i]
        tune = melody(plan, section, rng)
        _play(plan, lead, tune, tracks["melody"], rng)
        figure = _pick(FIGURES[plan.meter], rng)
        _play(plan, accompanist, chords(plan, section, figure, rng), tracks["chords"], rng)
        line = bass(plan, section, _pick(BASS_LINES[plan.meter], rng), rng)
        if kind == "solo":
            line = [note._replace(pitch=note.pitch + 12) for note in line]  # the left hand
        _play(plan, accompanist if kind == "solo" else low, line, tracks["bass"], rng)
        if (kind, i) in (("chamber", 0), ("band", 1)):
            _play(plan, leads[1 - i], second_voice(plan, section, tune), tracks["second"], rng)
        if (kind, i) == ("chamber", 1):
            _play(plan, holder, pad(plan, section), tracks["pad"], rng)
        if i >= drums_from:
            percussion(plan, section, groove, tracks["drums"], rng)


def _play(
    plan: Song,
    instrument: Instrument,
    events: list[Event],
    out: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Add what one player plays of the events, a little early or late, all held alike."""
    held = ARTICULATIONS[rng.integers(len(ARTICULATIONS))] * plan.beat
    for event in events:
        start = plan.seconds(event.beat)
        start = max(0.0, start + rng.normal(0, LATE) * (event.beat > 0))
        if start * SAMPLE_RATE < len(out):
            note = Note(start, held * event.length, event.pitch, event.loudness)
            instrument.play(note, out, rng)


def _pick(choices: tuple, rng: np.random.Generator):
    return choices[rng.integers(len(choices))]
