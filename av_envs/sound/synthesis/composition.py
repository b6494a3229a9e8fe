"""Composition: key, tempo and form of a piece, and melodies made of motifs that come back.

Patterns are strings, a character for every sixteenth of a bar: "x" begins a note, "-" holds
it, "." rests.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from av_envs.sound.synthesis.music import MAJOR, MINOR

DORIAN = (0, 2, 3, 5, 7, 9, 10)
SLOWEST, FASTEST = 70.0, 140.0  # beats per minute
PROGRESSIONS = (  # degree of the chord of each bar
    (0, 5, 3, 4), (0, 3, 4, 4), (5, 3, 0, 4), (0, 4, 5, 3), (1, 4, 0, 5), (0, 6, 3, 4),
    (3, 4, 5, 0), (0, 2, 3, 4), (5, 1, 4, 0), (0, 0, 3, 4),
)  # fmt: skip
CELLS = {  # rhythms of a bar, by beats of it
    4: (
        "x---x-x-x-x-x---", "x--x--x-x---x-x-", "..x-x-x-x-x-x-x-", "x-x-x-x-x---..x-",
        "x-x-..x-x--x--x-", "xxx-x-x-x-x-x---", "x---..x-x-xxx-x-", "x---x---x-x-x-x-",
        "x--xx-x-x--xx-x-", "..x---x-x-x-xxx-",
    ),
    3: ("x---x-x-x-x-", "x-x---x-x-x-", "x-x-x-x-x---", "x-xxx-x-x-x-", "..x-x-x-x-x-"),
}  # fmt: skip
CADENCES = {
    4: ("x-------x---....", "x-x-x-------....", "x-----------..x-"),
    3: ("x-------....", "x---x---....", "x---------x-"),
}
FORMS = ("aaba", "abac", "aaab", "abab", "abcb")  # a motif for every bar, by letters
STEPS = (-2, -1, -1, -1, 0, 1, 1, 1, 2)  # degrees from note to note
LEAPS = (-4, -3, 3, 4, 5)
LEAP = 0.15  # how often it is one of these
PHRASE_BARS = 4
LOWEST, HIGHEST = 4, 15  # degrees above the tonic, the range of a melody


class Event(NamedTuple):
    """A note in beats from the start; pitch in semitones, 60 is middle C; loudness 1 is normal."""

    beat: float
    length: float
    pitch: float
    loudness: float


@dataclass(frozen=True)
class Section:
    """Some bars, from `first_bar` on, over a progression that is repeated."""

    first_bar: int
    n_bars: int
    progression: tuple[int, ...]

    def chord(self, bar: int) -> int:
        """Degree of the chord of a bar, counted from the start of the section."""
        return self.progression[bar % len(self.progression)]


@dataclass(frozen=True)
class Song:
    """Plan of a piece.

    beat    s
    meter   beats of a bar, 3 or 4
    swing   beats by which the second eighth of every beat is late
    tonic   semitones, of the first degree
    scale   semitones of the seven degrees
    """

    beat: float
    meter: int
    swing: float
    tonic: int
    scale: tuple[int, ...]
    sections: tuple[Section, ...]

    def pitch(self, degree: int) -> int:
        """Semitones of a degree of the scale; degrees go on through the octaves."""
        octave, step = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[step]

    def seconds(self, beat: float) -> float:
        """When a beat is played."""
        late = self.swing if abs(beat % 1 - 0.5) < 1e-6 else 0.0
        return (beat + late) * self.beat


def song(n_seconds: float, rng: np.random.Generator) -> Song:
    """The plan of a piece of two sections that fill so many seconds."""
    beat = 60 / rng.uniform(SLOWEST, FASTEST)
    meter = 3 if rng.random() < 0.2 else 4
    n_bars = int(np.ceil(n_seconds / (meter * beat)))
    half = max(1, round(n_bars / 2))
    first, second = rng.permutation(len(PROGRESSIONS))[:2]
    return Song(
        beat=beat,
        meter=meter,
        swing=float(rng.choice([0.0, 0.0, 0.1, 0.16])),
        tonic=int(rng.integers(53, 65)),
        scale=(MAJOR, MAJOR, MINOR, DORIAN)[rng.integers(4)],
        sections=(
            Section(0, half, PROGRESSIONS[first]),
            Section(half, n_bars - half, PROGRESSIONS[second]),
        ),
    )


def strokes(pattern: str) -> list[tuple[float, float, str]]:
    """(beat, length, character) of everything in a pattern that is neither "-" nor "."."""
    found = []
    for i, mark in enumerate(pattern):
        if mark not in "-.":
            held = len(pattern[i + 1 :]) - len(pattern[i + 1 :].lstrip("-"))
            found.append((i / 4, (1 + held) / 4, mark))
    return found


class Motif(NamedTuple):
    """A rhythm of one bar, and how many degrees lie between its notes."""

    pattern: str
    steps: tuple[int, ...]


def _motif(meter: int, rng: np.random.Generator) -> Motif:
    pattern = CELLS[meter][rng.integers(len(CELLS[meter]))]
    steps = [rng.choice(LEAPS if rng.random() < LEAP else STEPS) for _ in strokes(pattern)]
    return Motif(pattern, tuple(int(step) for step in steps))


def melody(song: Song, section: Section, rng: np.random.Generator) -> list[Event]:
    """Phrases of four bars, each of motifs that come back and a cadence at its end.

    Notes on the first beat belong to the chord; loudness swells towards the third bar.
    """
    motifs = {letter: _motif(song.meter, rng) for letter in "abc"}
    form = FORMS[rng.integers(len(FORMS))]
    degree = 7
    events: list[Event] = []
    for bar in range(section.n_bars):
        place = bar % PHRASE_BARS
        is_end = place == PHRASE_BARS - 1
        motif = motifs[form[place]]
        if is_end:
            cadences = CADENCES[song.meter]
            motif = Motif(cadences[rng.integers(len(cadences))], motif.steps)
        start = (section.first_bar + bar) * song.meter
        for k, (beat, length, _) in enumerate(strokes(motif.pattern)):
            step = motif.steps[k % len(motif.steps)] if k or not is_end else -1
            degree += step + int(rng.choice([-1, 0, 0, 0, 0, 1]))
            degree = min(max(degree, LOWEST), HIGHEST)
            if beat == 0 or length >= 1:
                degree = _nearest_of(section.chord(bar), degree)
            swell = 0.75 + 0.35 * np.sin(np.pi * (place + beat / song.meter) / PHRASE_BARS) ** 2
            accent = 1.15 if beat == 0 else 1.0 if beat % 1 == 0 else 0.85
            loudness = swell * accent * rng.uniform(0.85, 1.15)
            events.append(Event(start + beat, length, song.pitch(degree), loudness))
    return events


def _nearest_of(chord: int, degree: int) -> int:
    """The tone of a chord that is nearest to a degree."""
    tones = [chord + 7 * octave + third for octave in range(-1, 4) for third in (0, 2, 4)]
    return min(tones, key=lambda tone: abs(tone - degree))


def second_voice(song: Song, section: Section, events: list[Event]) -> list[Event]:
    """A third or a sixth below every long note of a melody, softer."""
    voice = []
    for event in events:
        bar = int((event.beat - section.first_bar * song.meter) // song.meter)
        below = [
            song.pitch(section.chord(bar) + 7 * octave + third)
            for octave in range(-1, 3)
            for third in (0, 2, 4)
        ]
        fitting = [pitch for pitch in below if 3 <= event.pitch - pitch <= 9]
        if event.length >= 0.5 and fitting:
            voice.append(event._replace(pitch=max(fitting), loudness=0.7 * event.loudness))
    return voice
