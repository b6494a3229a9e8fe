"""Accompaniment: chords, basses and percussion by patterns of a bar.

Patterns are strings, a character for every sixteenth: digits are tones of the chord, "#" is
the whole chord, "-" holds, "." rests; for percussion "X" is an accent, "x" a stroke, "o" a
soft one.
"""

import numpy as np
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE
from av_envs.sound.synthesis.composition import Event, Section, Song, strokes

FIGURES = {  # of chords, by beats of a bar
    4: (
        "0-1-2-1-3-1-2-1-", "#-..#-#-..#-#-#-", "..#-..#-..#-..#-", "#--#--#-#--#--#-",
        "0---#-#-1---#-#-", "0-2-1-2-0-2-1-2-", "#--#--#-..#-#-#-", "0123210123210123",
        "#-#-..#-#-#-..#-",
    ),
    3: ("0---#-#-#-#-", "0-1-2-3-2-1-", "#-..#-#-#-#-"),
}  # fmt: skip
BASS_LINES = {  # digits are degrees above the root
    4: (
        "0-------4-------", "0---2---4---5---", "0--0--4-0--0--4-", "0-----0-4---4---",
        "0-0-0-0-0-0-0-0-", "0---..0-4-----4-", "0---4---7---4---",
    ),
    3: ("0---------4-", "0---2---4---", "0---....4---"),
}  # fmt: skip
GROOVES: dict[int, tuple[dict[str, str], ...]] = {
    4: (
        {"kick": "X.......x.x.....", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."},
        {"kick": "X..x..x...x.....", "snare": "....X..o.o..X...", "hat": "xoxoxoxoxoxoxoxo"},
        {"ride": "X...x.o.X...x.o.", "hat": "....x.......x...", "kick": "o.......o......."},
        {"kick": "x.....xxx.....xx", "block": "X..x..X...x..x..", "shaker": "xoxoxoxoxoxoxoxo"},
        {"kick": "x.......x.......", "snare": "....o..o....o..o", "ride": "x...x...x...x..."},
        {"tom": "X..x..x.X.x.x.x.", "shaker": "x.o.x.o.x.o.x.o.", "kick": "x.......x......."},
        {"kick": "X...X...X...X...", "hat": "..x...x...x...x.", "snare": "....x.......x..."},
    ),
    3: (
        {"kick": "X...........", "snare": "....x...x...", "hat": "x...x...x.o."},
        {"ride": "x...x.o.x...", "kick": "x...........", "shaker": "..o...o...o."},
    ),
}
FILL = {4: "....x...x.xox.Xx", 3: "....x.o.x.Xx"}  # on snare and tom, before a new section
STROKES = {"X": 1.0, "x": 0.7, "o": 0.35}
STROKE = 0.5  # s, every stroke of a drum
TIME = np.arange(round(STROKE * SAMPLE_RATE)) / SAMPLE_RATE
SUSTAINED = 0.5  # beats that a chord rings, at least


def chords(song: Song, section: Section, figure: str, rng: np.random.Generator) -> list[Event]:
    """The chord of each bar as a figure says, a little louder on the beat."""
    events = []
    for bar in range(section.n_bars):
        root = section.chord(bar)
        tones = [song.pitch(root + step) for step in (0, 2, 4, 7)]
        tones = [tone - 12 if tone > song.tonic + 14 else tone for tone in tones]
        start = (section.first_bar + bar) * song.meter
        for beat, length, mark in strokes(figure):
            chosen = tones[:3] if mark == "#" else [tones[int(mark)]]
            loudness = (0.9 if beat % 2 == 0 else 0.7) * rng.uniform(0.85, 1.15)
            length = max(length, SUSTAINED)
            events += [Event(start + beat, length, tone, loudness) for tone in chosen]
    return events


def pad(song: Song, section: Section) -> list[Event]:
    """Root and third of every chord, held for a bar."""
    events = []
    for bar in range(section.n_bars):
        start, root = (section.first_bar + bar) * song.meter, section.chord(bar)
        events += [Event(start, song.meter, song.pitch(root + step), 1.0) for step in (0, 2)]
    return events


def bass(song: Song, section: Section, line: str, rng: np.random.Generator) -> list[Event]:
    """A line under the chords; the last note of a bar sometimes leads to the next root."""
    events = []
    for bar in range(section.n_bars):
        start = (section.first_bar + bar) * song.meter
        notes = strokes(line)
        for i, (beat, length, mark) in enumerate(notes):
            pitch = song.pitch(section.chord(bar) + int(mark)) - 24
            if i == len(notes) - 1 and i > 0 and rng.random() < 0.4:
                pitch = song.pitch(section.chord(bar + 1)) - 24 + int(rng.choice([-2, -1, 1, 2]))
            pitch += 12 * (pitch < 33) - 12 * (pitch > 52)
            events.append(Event(start + beat, 0.95 * length, pitch, rng.uniform(0.85, 1.1)))
    return events


def percussion(
    song: Song, section: Section, groove: dict[str, str], out: np.ndarray, rng: np.random.Generator
) -> None:
    """Add a groove to `out`, (n,) float64 at 16 kHz; a fill closes the section."""
    kit = drum_kit(rng)
    for bar in range(section.n_bars):
        start = (section.first_bar + bar) * song.meter
        parts = dict(groove)
        if bar == section.n_bars - 1 and section.n_bars > 1:
            parts |= {"snare": FILL[song.meter], "tom": FILL[song.meter].replace("x", "o")}
        for name, pattern in parts.items():
            for beat, _, mark in strokes(pattern):
                moment = song.seconds(start + beat) + rng.normal(0, 0.003)
                at = max(0, round(moment * SAMPLE_RATE))
                part = out[at : at + len(kit[name])]
                part += STROKES[mark] * rng.uniform(0.8, 1.2) * kit[name][: len(part)]


def drum_kit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """{name: (n,) float64 stroke} of drums, cymbals, a shaker and a block, tuned by chance."""
    kick, tom, snare = rng.uniform(45, 65), rng.uniform(90, 160), rng.uniform(160, 230)
    return {
        "kick": _drum(kick, 0.8 * kick, 0.09) + 0.06 * _rattle(0.006, 0.3, rng),
        "tom": 0.7 * _drum(tom, 0.4 * tom, 0.12),
        "snare": 0.4 * _drum(snare, 0.2 * snare, 0.05)
        + 0.3 * _rattle(rng.uniform(0.03, 0.07), 0.4, rng),
        "hat": 0.35 * _rattle(rng.uniform(0.015, 0.04), 0.95, rng),
        "ride": 0.16 * _rattle(0.12, 0.9, rng) + 0.02 * _bell(rng.uniform(2200, 3200), 0.2),
        "shaker": 0.3 * _swish(0.05, rng),
        "block": 0.3 * _bell(rng.uniform(700, 1300), 0.03),
    }


def _struck(decay: float) -> np.ndarray:
    """Falls by 1/e in `decay` seconds, after a rise of 2 ms, and has ended after STROKE."""
    rise, fall = np.minimum(TIME / 0.002, 1), np.minimum((STROKE - TIME) / 0.05, 1)
    return np.exp(-TIME / decay) * rise * fall


def _drum(hertz: float, drop: float, decay: float) -> np.ndarray:
    """A skin whose pitch falls by `drop` Hz as it calms down."""
    phase = hertz * TIME - drop * 0.03 * np.exp(-TIME / 0.03)
    return np.sin(2 * np.pi * phase) * _struck(decay)


def _rattle(decay: float, brightness: float, rng: np.random.Generator) -> np.ndarray:
    """Noise through a first difference."""
    return lfilter([1, -brightness], [1], rng.standard_normal(len(TIME))) * _struck(decay)


def _swish(seconds: float, rng: np.random.Generator) -> np.ndarray:
    noise = lfilter([1, -0.9], [1], rng.standard_normal(round(seconds * SAMPLE_RATE)))
    return noise * np.sin(np.pi * np.arange(len(noise)) / len(noise)) ** 2


def _bell(hertz: float, decay: float) -> np.ndarray:
    waves = np.sin(2 * np.pi * hertz * TIME) + 0.5 * np.sin(5.4 * np.pi * hertz * TIME)
    return waves * _struck(decay)
