"""Synthetic speech: syllables, phrases and intonation, as targets for the vocal tract."""

import numpy as np

from av_envs.sound.synthesis.articulation import (
    REST,
    Segment,
    consonant,
    draw,
    frames_of,
    recorded,
    room_noise,
    tracks_of,
    vowel,
)
from av_envs.sound.synthesis.phonemes import CODAS, DIPHTHONGS, ONSETS, STRESSED, UNSTRESSED, VOWELS
from av_envs.sound.synthesis.speakers import Speaker
from av_envs.sound.synthesis.vocal_tract import FRAME_RATE, sing_out

LONGEST_PAUSE = 0.5  # s; so that no second is silent
LOWEST, HIGHEST = -12.0, 16.0  # semitones, where a voice breaks


def talk(speaker: Speaker, n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, the speaker talking without end or sense."""
    segments: list[Segment] = []
    n_frames = n_seconds * FRAME_RATE
    while sum(segment.frames for segment in segments) < n_frames:
        segments += _sentence(speaker, rng)
    tracks = tracks_of(segments, speaker, n_frames)
    voice = sing_out(tracks, speaker.larynx, speaker.tract_scale, rng)
    heard = voice + rng.uniform(0.002, 0.01) * room_noise(len(voice), rng)
    return recorded(heard, *speaker.microphone)


def _sentence(speaker: Speaker, rng: np.random.Generator) -> list[Segment]:
    """One to three phrases, each a little lower than the one before, and a breath."""
    n_phrases = int(rng.integers(1, 4))
    register = speaker.liveliness * rng.normal(-0.15, 0.2)
    ending = -1.5 if rng.random() < 0.8 else 1.4  # statements fall, questions rise
    segments: list[Segment] = []
    for i in range(n_phrases):
        is_last = i == n_phrases - 1
        turn = ending if is_last else rng.choice([-0.3, 0.2, 0.8])
        segments += _phrase(speaker, register - 0.25 * i * speaker.liveliness, turn, rng)
        pause = rng.uniform(0.3, LONGEST_PAUSE) if is_last else rng.uniform(0.04, 0.3)
        breath = rng.uniform(0.004, 0.02) if is_last else 0.0
        half = frames_of(pause / 2)
        segments += [Segment(half, REST), Segment(half, REST, aspiration=breath)]
    return segments


def _phrase(
    speaker: Speaker, register: float, turn: float, rng: np.random.Generator
) -> list[Segment]:
    """Words said in one go. The pitch sinks from word to word, accents rise above it.

    register  semitones, where the phrase begins
    turn      where the pitch goes on the last syllable, in units of the liveliness
    """
    stresses = _rhythm(rng)
    peak = rng.integers(len(stresses))
    tempo = rng.uniform(0.85, 1.15)
    segments: list[Segment] = []
    for i, is_stressed in enumerate(stresses):
        progress = i / len(stresses)
        is_last = i == len(stresses) - 1
        tone = register + speaker.liveliness * (0.3 - 0.9 * progress)
        if is_stressed:
            tone += speaker.liveliness * (rng.uniform(0.1, 1.0) + 0.9 * (i == peak))
        if is_last:
            tone += speaker.liveliness * turn
        loudness = (1.0 if is_stressed else 0.6) * 10 ** (-0.25 * progress)
        loudness *= 1.4 if i == peak else 1.0
        stretch = tempo * (1.45 if is_last else 1.0)
        tone = float(np.clip(tone, LOWEST, HIGHEST))
        segments += _syllable(speaker, is_stressed, tone, loudness, stretch, rng)
    return segments


def _rhythm(rng: np.random.Generator) -> list[bool]:
    """Which syllables of a phrase are stressed: words of one to three syllables."""
    stresses: list[bool] = []
    for _ in range(rng.integers(3, 7)):
        n_syllables = rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15])
        if n_syllables == 1:
            stresses.append(bool(rng.random() < 0.5))
        else:
            where = rng.integers(min(n_syllables, 2))
            stresses += [i == where for i in range(n_syllables)]
    return stresses


def _syllable(
    speaker: Speaker,
    is_stressed: bool,
    tone: float,
    loudness: float,
    stretch: float,
    rng: np.random.Generator,
) -> list[Segment]:
    """An onset, a vowel or diphthong and perhaps a coda."""
    nucleus = draw(STRESSED if is_stressed else UNSTRESSED, rng)
    parts = [draw(ONSETS, rng), *DIPHTHONGS.get(nucleus, (nucleus,)), draw(CODAS, rng)]
    tempo = 4.0 / speaker.rate * stretch * (1.15 if is_stressed else 0.85)
    segments = []
    for name in filter(None, parts):
        length = tempo * rng.uniform(0.8, 1.2)
        if name in VOWELS:
            share = 0.75 if nucleus in DIPHTHONGS else 1.15
            segments.append(vowel(speaker, name, length * share, tone, loudness))
        else:
            near = vowel(speaker, parts[1], 1.0, tone, loudness).phoneme
            segments += consonant(speaker, name, near, length, tone, loudness)
    return segments
