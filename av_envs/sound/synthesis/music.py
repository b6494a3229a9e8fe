"""Pieces of music: a melody over chords and a bass, with or without percussion."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE, root_mean_square
from av_envs.sound.synthesis.instruments import BASSES, CHORDS, LEADS, Instrument, Note

PIECE_SECONDS = 10
FADE = 800  # samples
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (0, 1, 4, 0), (5, 3, 0, 4), (0, 2, 3, 4))
RHYTHMS = (  # lengths in eighth notes, one bar
    (2, 2, 2, 2), (3, 1, 2, 2), (1, 1, 2, 1, 1, 2), (4, 2, 2), (2, 1, 1, 4), (1, 1, 1, 1, 2, 2),
    (3, 3, 2), (2, 2, 1, 1, 1, 1),
)  # fmt: skip
FIGURES = (  # which chord note on which eighth of the bar, -1 for none, 9 for all at once
    (0, 1, 2, 1, 0, 1, 2, 1), (9, -1, 9, -1, 9, -1, 9, -1), (0, 2, 1, 2, 0, 2, 1, 2),
    (9, -1, -1, 9, -1, -1, 9, -1), (0, 1, 2, 3, 2, 1, 2, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """Parameters of a whole piece.

    eighth       seconds of an eighth note
    tonic        pitch of the first degree, in semitones, 60 is middle C
    scale        semitones of the seven degrees
    progression  degree of the chord of each bar, repeated
    figure       one of FIGURES
    """

    eighth: float
    tonic: int
    scale: tuple[int, ...]
    progression: tuple[int, ...]
    figure: tuple[int, ...]

    def pitch(self, degree: int) -> int:
        """Semitones of a degree of the scale; degrees go on through the octaves."""
        octave, step = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[step]


def music(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, pieces of up to 10 s, each by another ensemble."""
    pieces = []
    for start in range(0, n_seconds, PIECE_SECONDS):
        sound = piece(min(PIECE_SECONDS, n_seconds - start), rng)
        sound[-FADE:] *= np.linspace(1, 0, FADE)
        pieces.append(sound / root_mean_square(sound))
    return np.concatenate(pieces)


def piece(n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, a small ensemble playing from the first sample on."""
    style = Style(
        eighth=rng.uniform(0.19, 0.33),
        tonic=int(rng.integers(55, 67)),
        scale=_pick((MAJOR, MAJOR, MINOR), rng),
        progression=_pick(PROGRESSIONS, rng),
        figure=_pick(FIGURES, rng),
    )
    n_bars = int(np.ceil(n_seconds / (8 * style.eighth)))
    lead = LEADS[_pick(tuple(LEADS), rng)]
    parts = [
        (1.0, _play(lead, _melody(style, n_bars, rng), n_seconds, rng)),
        (0.6, _play(LEADS[_pick(CHORDS, rng)], _chords(style, n_bars), n_seconds, rng)),
        (0.6, _play(BASSES[_pick(tuple(BASSES), rng)], _bass(style, n_bars), n_seconds, rng)),
    ]
    if rng.random() < 0.5:
        parts.append((0.35, _percussion(style, n_seconds, rng)))
    return sum(level / root_mean_square(part) * part for level, part in parts)


def _pick(choices: tuple, rng: np.random.Generator):
    return choices[rng.integers(len(choices))]


def _melody(style: Style, n_bars: int, rng: np.random.Generator) -> list[Note]:
    """A walk along the scale that comes back to the chord on every first beat."""
    rhythms = [_pick(RHYTHMS, rng) for _ in range(2)]
    degree, notes = 7, []
    for bar in range(n_bars):
        chord = style.progression[bar % len(style.progression)]
        beat = 0
        for length in rhythms[bar % 2]:
            degree += int(rng.choice([-2, -1, -1, 0, 1, 1, 2]))
            if beat == 0:
                degree = min(
                    (7 + chord + d for d in (-5, -3, 0, 2, 4)), key=lambda d: abs(d - degree)
                )
            degree = min(max(degree, 3), 14)
            start = (8 * bar + beat) * style.eighth
            loudness = rng.uniform(0.7, 1.0) + 0.2 * (beat == 0)
            notes.append(Note(start, 0.95 * length * style.eighth, style.pitch(degree), loudness))
            beat += length
    return notes


def _chords(style: Style, n_bars: int) -> list[Note]:
    """The chord of each bar, broken up as the figure says."""
    notes = []
    for bar in range(n_bars):
        root = style.progression[bar % len(style.progression)]
        tones = [style.pitch(root + step) for step in (0, 2, 4, 7)]
        for beat, which in enumerate(style.figure):
            start = (8 * bar + beat) * style.eighth
            chosen = tones[:3] if which == 9 else tones[which : which + 1] if which >= 0 else []
            notes += [Note(start, 2 * style.eighth, tone, 0.7) for tone in chosen]
    return notes


def _bass(style: Style, n_bars: int) -> list[Note]:
    """Root and fifth, half a bar each, one or two octaves below the chords."""
    notes = []
    for bar in range(n_bars):
        root = style.progression[bar % len(style.progression)]
        for half, step in enumerate((0, 4)):
            pitch = style.pitch(root + step) - 24
            pitch += 12 * (pitch < 36)
            notes.append(Note((8 * bar + 4 * half) * style.eighth, 3.8 * style.eighth, pitch))
    return notes


def _play(
    instrument: Instrument, notes: list[Note], n_seconds: int, rng: np.random.Generator
) -> np.ndarray:
    out = np.zeros(n_seconds * SAMPLE_RATE)
    for note in notes:
        late = 0.0 if note.start == 0 else rng.uniform(0, 0.012)  # human timing
        if note.start + late < n_seconds:
            played = Note(note.start + late, note.length, note.pitch, note.loudness)
            instrument.play(played, out, rng)
    return out


def _percussion(style: Style, n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """A drum on the first and fifth eighth, a shaker on every one."""
    out = np.zeros(n_seconds * SAMPLE_RATE)
    time = np.arange(round(0.12 * SAMPLE_RATE)) / SAMPLE_RATE
    drum = np.sin(2 * np.pi * (55 * time - 2.5 * np.exp(-time / 0.03))) * np.exp(-time / 0.04)
    hiss = lfilter([1, -0.9], [1], rng.standard_normal(len(time))) * np.exp(-time / 0.02)
    for beat in range(int(n_seconds / style.eighth)):
        start = round(beat * style.eighth * SAMPLE_RATE)
        stroke = 0.3 * rng.uniform(0.6, 1) * hiss + (drum if beat % 4 == 0 else 0)
        part = out[start : start + len(time)]
        part += stroke[: len(part)]
    return out
