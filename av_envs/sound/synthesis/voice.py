"""Synthetic speech: syllables, phrases and intonation, as targets for the vocal tract."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import convolve1d
from scipy.signal import butter, lfilter

from av_envs.sound.clips import SAMPLE_RATE
from av_envs.sound.synthesis.phonemes import (
    CODAS,
    CONSONANTS,
    DIPHTHONGS,
    ONSETS,
    STRESSED,
    UNSTRESSED,
    VOWELS,
    Phoneme,
)
from av_envs.sound.synthesis.speakers import Speaker
from av_envs.sound.synthesis.vocal_tract import FRAME_RATE, Tracks, sing_out

LONGEST_PAUSE = 0.5  # s; so that no second is silent
BURST = 0.012  # s, the release of a plosive
PUFF = 0.030  # s, the breath after a voiceless one
GLIDE = 0.075  # s, how long the tongue takes from one target to the next
ONSET = 0.022  # s, how fast a sound swells and fades
INTONATION = 0.12  # s, how fast the pitch follows the melody
LOWEST, HIGHEST = -12.0, 16.0  # semitones, where a voice breaks
MICROPHONE_HZ = (250, 2000)
NOSE_SHUT = 1500.0  # Hz, where the nose's pole and zero wait for the next nasal
REACH = 0.85  # how far the tongue goes towards a vowel in running speech
REST = VOWELS["ax"]


def talk(speaker: Speaker, n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float64, the speaker talking without end or sense."""
    segments: list[Segment] = []
    n_frames = n_seconds * FRAME_RATE
    while sum(segment.frames for segment in segments) < n_frames:
        segments += _sentence(speaker, rng)
    tracks = _tracks(segments, speaker, n_frames)
    voice = sing_out(tracks, speaker.larynx, speaker.tract_scale, rng)
    heard = voice + rng.uniform(0.002, 0.01) * _room_noise(len(voice), rng)
    return _recorded(heard, *speaker.microphone)


def _room_noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) noise that falls with frequency, as in every recording."""
    return lfilter([1], [1, -0.8], rng.standard_normal(n, dtype=np.float32))


def _recorded(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    """The sound with so many dB more or less at the lower and the upper end."""
    below = lfilter(*butter(1, MICROPHONE_HZ[0], fs=SAMPLE_RATE), sound)
    above = sound - lfilter(*butter(1, MICROPHONE_HZ[1], fs=SAMPLE_RATE), sound)
    return sound + (10 ** (low / 20) - 1) * below + (10 ** (high / 20) - 1) * above


@dataclass(frozen=True)
class Segment:
    """A steady target for some frames; the articulators glide from one to the next."""

    frames: int
    phoneme: Phoneme
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    semitones: float = 0.0  # above the speaker's pitch


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
        half = _frames(pause / 2)
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
    vowel = _draw(STRESSED if is_stressed else UNSTRESSED, rng)
    parts = [_draw(ONSETS, rng), *DIPHTHONGS.get(vowel, (vowel,)), _draw(CODAS, rng)]
    tempo = 4.0 / speaker.rate * stretch * (1.15 if is_stressed else 0.85)
    segments = []
    for name in filter(None, parts):
        length = tempo * rng.uniform(0.8, 1.2)
        if name in VOWELS:
            share = 0.75 if vowel in DIPHTHONGS else 1.15
            segments.append(_vowel(speaker, name, length * share, tone, loudness))
        else:
            near = _vowel(speaker, parts[1], 1.0, tone, loudness).phoneme
            segments += _consonant(speaker, name, near, length, tone, loudness)
    return segments


def _draw(weights: dict[str, int], rng: np.random.Generator) -> str:
    names = list(weights)
    bounds = np.cumsum(list(weights.values()))
    return names[int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))]


def _vowel(speaker: Speaker, name: str, length: float, tone: float, loudness: float) -> Segment:
    phoneme = VOWELS[name]
    neutral = np.array(REST.formants)
    reached = neutral + REACH * (np.array(phoneme.formants) - neutral)
    formants = speaker.tract_scale * reached * speaker.accent[name]
    frames = _frames(phoneme.seconds * length)
    own = replace(phoneme, formants=tuple(formants))
    return Segment(frames, own, voicing=loudness * phoneme.voicing, semitones=tone)


def _consonant(
    speaker: Speaker, name: str, near: Phoneme, length: float, tone: float, loudness: float
) -> list[Segment]:
    """A consonant, coloured by the vowel `near` it; a plosive is a closure and its release."""
    phoneme = CONSONANTS[name]
    pull = 1.0 if name == "h" else 0.35
    locus = speaker.tract_scale * np.array(phoneme.formants)
    locus[1:] += pull * (np.array(near.formants)[1:] - locus[1:])
    own = replace(
        phoneme,
        formants=near.formants if name == "h" else tuple(locus),
        noise_hz=min(phoneme.noise_hz * speaker.hiss_scale, 7500.0),
    )
    hiss = speaker.hiss * loudness**0.5
    hold = Segment(_frames(phoneme.seconds * length), own, phoneme.voicing * loudness, 0, 0, tone)
    if not phoneme.burst:
        breath, noise = phoneme.aspiration * hiss, phoneme.frication * hiss
        return [replace(hold, aspiration=breath, frication=noise)]
    closure = replace(hold, frames=_frames(0.75 * phoneme.seconds * length))
    release = replace(hold, frames=_frames(BURST), frication=phoneme.frication * hiss)
    if phoneme.aspiration == 0:
        return [closure, release]
    puff = replace(hold, frames=_frames(PUFF * length), aspiration=phoneme.aspiration * hiss)
    return [closure, release, puff]


def _frames(seconds: float) -> int:
    return max(1, round(seconds * FRAME_RATE))


def _tracks(segments: list[Segment], speaker: Speaker, n_frames: int) -> Tracks:
    """Targets held for their frames, then smoothed as fast as each articulator moves."""
    lengths = [segment.frames for segment in segments]
    phonemes = [segment.phoneme for segment in segments]

    def track(values: list, smoothing: float) -> np.ndarray:
        held = np.repeat(np.array(values, float), lengths, axis=0)[:n_frames]
        bell = np.hanning(_frames(smoothing) + 2)[1:-1]
        return convolve1d(held, bell / bell.sum(), axis=0, mode="nearest")

    semitones = track([segment.semitones for segment in segments], INTONATION)
    return Tracks(
        pitch=speaker.pitch * 2 ** (semitones / 12),
        voicing=track([segment.voicing for segment in segments], ONSET),
        aspiration=track([segment.aspiration for segment in segments], ONSET),
        frication=track([segment.frication for segment in segments], BURST),
        noise_hz=track([phoneme.noise_hz for phoneme in phonemes], BURST),
        noise_q=track([phoneme.noise_q for phoneme in phonemes], BURST),
        formants=track([phoneme.formants for phoneme in phonemes], GLIDE),
        damping=track([phoneme.damping for phoneme in phonemes], ONSET),
        nasality=track([float(phoneme.nasal_hz > 0) for phoneme in phonemes], GLIDE),
        nasal_hz=track([phoneme.nasal_hz or NOSE_SHUT for phoneme in phonemes], GLIDE),
    )
