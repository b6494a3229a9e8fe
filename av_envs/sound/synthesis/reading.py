"""Synthetic readers: speakers who say sentences, each in a room and at a microphone of its own."""

from dataclasses import dataclass, replace

import numpy as np

from av_envs.sound.synthesis.articulation import (
    REST,
    Segment,
    frames_of,
    recorded,
    room_noise,
    tracks_of,
)
from av_envs.sound.synthesis.lexicon import sentence
from av_envs.sound.synthesis.prosody import Contour, phones_of, said
from av_envs.sound.synthesis.room import in_a_room
from av_envs.sound.synthesis.speakers import Speaker, speaker
from av_envs.sound.synthesis.vocal_tract import FRAME_RATE, sing_out

ONSET = 0.022  # s, how fast voice and breath swell and fade
BURST = 0.013  # s, how fast the noise of a constriction does
FLUTTER_HZ = (12.7, 7.1, 4.7)  # Klatt and Klatt, JASA 87, 1990
FLUTTER = 0.08  # semitones, each of them
BREATH = (0.3, 0.6, 0.9, 1.0, 0.8, 0.4, 0.0)  # how it swells
FADE = 320  # samples at either end, which may lie within a word
TEMPO = 3.55  # over the speaker's rate: factor on the durations of phonemes


@dataclass(frozen=True)
class Reader:
    """A speaker and where it is recorded.

    speaker  the voice
    noise    RMS of the noise of the room over that of a stressed vowel
    echo     RMS of what the room adds to the voice over the voice
    decay    s, reverberation time of the room
    pause    factor on the length of pauses
    """

    speaker: Speaker
    noise: float
    echo: float
    decay: float
    pause: float


def reader(index: int) -> Reader:
    """Reader number `index`, with the voice of speaker `index`."""
    rng = np.random.default_rng([7002, index])
    voice = speaker(index)
    rough = voice.larynx._replace(roughness=rng.uniform(0.005, 0.012))
    return Reader(
        replace(voice, larynx=rough),
        noise=float(10 ** rng.uniform(-2.2, -1.7)),
        echo=rng.uniform(0.15, 0.25),
        decay=rng.uniform(0.15, 0.35),
        pause=rng.uniform(0.8, 1.3),
    )


def read_aloud(who: Reader, n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, the reader saying one sentence after another."""
    segments: list[Segment] = []
    n_frames = n_seconds * FRAME_RATE
    n_said = 0
    while n_said < n_frames:
        new = _sentence(who, rng)
        n_said += sum(segment.frames for segment in new)
        segments += new
    tracks = tracks_of(segments, who.speaker, n_frames, ONSET, BURST, with_effort=True)
    tracks = tracks._replace(pitch=tracks.pitch * 2 ** (_flutter(n_frames, rng) / 12))
    voice = sing_out(tracks, who.speaker.larynx, who.speaker.tract_scale, rng)
    heard = in_a_room(voice, who.echo, who.decay, rng)
    heard += who.noise * room_noise(len(voice), rng)
    heard = recorded(heard, *who.speaker.microphone)
    ramp = np.sin(np.linspace(0, np.pi / 2, FADE)) ** 2
    heard[:FADE] *= ramp
    heard[-FADE:] *= ramp[::-1]
    return heard


def _sentence(who: Reader, rng: np.random.Generator) -> list[Segment]:
    """A sentence and the pauses after its phrases; at the end of the last one it breathes in."""
    lively = who.speaker.liveliness
    phrases = sentence(rng)
    ending = -1.2 if rng.random() < 0.85 else 1.5  # statements fall, questions rise
    register = lively * rng.normal(0.0, 0.2)
    tempo = TEMPO / who.speaker.rate * rng.uniform(0.9, 1.12)
    segments: list[Segment] = []
    for i, words in enumerate(phrases):
        is_last = i == len(phrases) - 1
        turn = ending if is_last else rng.choice([-0.4, 0.3, 0.8])
        contour = Contour(
            start=register + lively * (0.3 - 0.25 * i),
            fall=lively * rng.uniform(0.8, 1.3),
            accent=lively * rng.uniform(0.9, 1.5),
            turn=lively * turn,
        )
        drawl = tempo * rng.uniform(0.93, 1.08)
        segments += said(who.speaker, phones_of(words, rng), contour, drawl, rng)
        segments += _pause(who, is_last, rng)
    return segments


def _pause(who: Reader, is_last: bool, rng: np.random.Generator) -> list[Segment]:
    """None or a short one within a sentence, up to 0.55 s with a breath taken after it."""
    if not is_last:
        if rng.random() < 0.35:
            return []
        return [Segment(frames_of(who.pause * rng.uniform(0.1, 0.3)), REST)]
    part = frames_of(who.pause * rng.uniform(0.28, 0.42) / (2 + len(BREATH)))
    depth = rng.uniform(0.005, 0.025)
    breath = [Segment(part, REST, aspiration=depth * share) for share in BREATH]
    return [Segment(2 * part, REST), *breath]


def _flutter(n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """(n_frames,) semitones by which no voice keeps its pitch."""
    time = np.arange(n_frames) / FRAME_RATE
    starts = rng.uniform(0, 2 * np.pi, len(FLUTTER_HZ))
    waves = [np.sin(2 * np.pi * f * time + at) for f, at in zip(FLUTTER_HZ, starts, strict=True)]
    return FLUTTER * np.sum(waves, axis=0)
