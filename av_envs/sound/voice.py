"""What speakers say: syllables, phrases and their melody, as targets for the vocal tract."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import convolve1d

from av_envs.sound.phonemes import (
    CODAS,
    CONSONANTS,
    DIPHTHONGS,
    ONSETS,
    STRESSED,
    UNSTRESSED,
    VOWELS,
    Phoneme,
)
from av_envs.sound.speakers import Speaker
from av_envs.sound.vocal_tract import FRAME_RATE, Tracks, sing_out

LONGEST_PAUSE = 0.5  # s; so that no second is silent
BURST = 0.012  # s, the release of a plosive
PUFF = 0.030  # s, the breath after a voiceless one
GLIDE = 0.075  # s, how long the tongue takes from one target to the next
ONSET = 0.022  # s, how fast a sound swells and fades
INTONATION = 0.14  # s, how fast the pitch follows the melody


def talk(speaker: Speaker, n_seconds: int, rng: np.random.Generator) -> np.ndarray:
    """(n_seconds * 16000,) float32, the speaker talking without end or sense."""
    segments: list[Segment] = []
    n_frames = n_seconds * FRAME_RATE
    while sum(segment.frames for segment in segments) < n_frames:
        segments += _phrase(speaker, rng)
    tracks = _tracks(segments, speaker, n_frames)
    voice = sing_out(tracks, speaker.larynx, speaker.tract_scale, rng)
    room = rng.standard_normal(len(voice), dtype=np.float32)
    return voice + 0.01 * room


@dataclass(frozen=True)
class Segment:
    """A steady target for some frames; the articulators glide from one to the next."""

    frames: int
    phoneme: Phoneme
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    semitones: float = 0.0  # above the speaker's pitch


def _phrase(speaker: Speaker, rng: np.random.Generator) -> list[Segment]:
    """Words said in one breath, and the pause after them."""
    stresses = _rhythm(rng)
    fall = -1 if rng.random() < 0.75 else 1  # statements fall, questions rise
    segments: list[Segment] = []
    for i, is_stressed in enumerate(stresses):
        progress = i / len(stresses)
        tone = speaker.liveliness * (0.1 - 1.3 * progress)
        if is_stressed:
            tone += speaker.liveliness * rng.uniform(0.4, 1.6)
        if i >= len(stresses) - 2:
            tone += fall * speaker.liveliness * 0.8
        loudness = (1.0 if is_stressed else 0.75) * 10 ** (-0.2 * progress)
        stretch = 1.35 if i == len(stresses) - 1 else 1.0
        segments += _syllable(speaker, is_stressed, tone, loudness, stretch, rng)
    pause = round(rng.uniform(0.12, LONGEST_PAUSE) * FRAME_RATE)
    breath = 0.05 * rng.uniform(0.3, 1) if pause > 0.3 * FRAME_RATE else 0.0
    half = pause // 2
    rest = VOWELS["ax"]
    return [*segments, Segment(pause - half, rest), Segment(half, rest, aspiration=breath)]


def _rhythm(rng: np.random.Generator) -> list[bool]:
    """Which syllables of a phrase are stressed: words of one to three syllables."""
    stresses: list[bool] = []
    for _ in range(rng.integers(3, 8)):
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
    formants = speaker.tract_scale * np.array(phoneme.formants) * speaker.accent[name]
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
        noise_hz=min(phoneme.noise_hz * speaker.hiss_scale, 7200.0),
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
        noise_hz=track([segment.phoneme.noise_hz for segment in segments], BURST),
        noise_q=track([segment.phoneme.noise_q for segment in segments], BURST),
        formants=track([segment.phoneme.formants for segment in segments], GLIDE),
        damping=track([segment.phoneme.damping for segment in segments], ONSET),
    )
