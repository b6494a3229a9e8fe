"""Articulation: phonemes as targets in time, and the tracks of the vocal tract through them."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import convolve1d
from scipy.signal import butter, lfilter

from av_envs.sound.clips import SAMPLE_RATE
from av_envs.sound.synthesis.phonemes import CONSONANTS, VOWELS, Phoneme
from av_envs.sound.synthesis.speakers import Speaker
from av_envs.sound.synthesis.vocal_tract import FRAME_RATE, Tracks

BURST = 0.012  # s, how fast the noise of a constriction swells and fades
PUFF = 0.030  # s, the breath after a voiceless one
GLIDE = 0.075  # s, how long the tongue takes from one target to the next
ONSET = 0.022  # s, how fast a sound swells and fades
INTONATION = 0.12  # s, how fast the pitch follows the melody
MICROPHONE_HZ = (250, 2000)
NOSE_SHUT = 1500.0  # Hz, where the nose's pole and zero wait for the next nasal
REACH = 0.85  # how far the tongue goes towards a vowel in running speech
REST = VOWELS["ax"]


class Segment(NamedTuple):
    """A steady target for some frames; the articulators glide from one to the next."""

    frames: int
    phoneme: Phoneme
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    semitones: float = 0.0  # above the speaker's pitch
    effort: float = 1.0  # 1 is a clear voice, 0 a dull one


def draw(weights: dict[str, int], rng: np.random.Generator) -> str:
    """One of the names, as often as their weights say."""
    names = list(weights)
    bounds = np.cumsum(list(weights.values()))
    return names[int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))]


def vowel(
    speaker: Speaker,
    name: str,
    length: float,
    tone: float,
    loudness: float,
    reach: float = REACH,
) -> Segment:
    """One of VOWELS.

    length  factor on its typical duration
    tone    semitones above the speaker's pitch
    reach   how far the tongue goes towards it, 1 if carefully said
    """
    phoneme = VOWELS[name]
    neutral = np.array(REST.formants)
    reached = neutral + reach * (np.array(phoneme.formants) - neutral)
    formants = speaker.tract_scale * reached * speaker.accent[name]
    frames = frames_of(phoneme.seconds * length)
    own = phoneme._replace(formants=tuple(formants))
    return Segment(frames, own, voicing=loudness * phoneme.voicing, semitones=tone)


def consonant(
    speaker: Speaker,
    name: str,
    near: Phoneme,
    length: float,
    tone: float,
    loudness: float,
    puff: bool = True,
) -> list[Segment]:
    """A consonant, coloured by the vowel `near` it; a plosive is a closure and its release.

    length  factor on its typical duration
    tone    semitones above the speaker's pitch
    puff    False if no breath follows even a voiceless plosive, as in "stay"
    """
    phoneme = CONSONANTS[name]
    pull = 1.0 if name == "h" else 0.35
    locus = speaker.tract_scale * np.array(phoneme.formants)
    locus[1:] += pull * (np.array(near.formants)[1:] - locus[1:])
    own = phoneme._replace(
        formants=near.formants if name == "h" else tuple(locus),
        noise_hz=min(phoneme.noise_hz * speaker.hiss_scale, 7500.0),
    )
    hiss = speaker.hiss * loudness**0.5
    hold = Segment(frames_of(phoneme.seconds * length), own, phoneme.voicing * loudness, 0, 0, tone)
    if not phoneme.burst:
        breath, noise = phoneme.aspiration * hiss, phoneme.frication * hiss
        return [hold._replace(aspiration=breath, frication=noise)]
    closure = hold._replace(frames=frames_of(0.75 * phoneme.seconds * length))
    release = hold._replace(frames=frames_of(phoneme.release), frication=phoneme.frication * hiss)
    if phoneme.aspiration == 0 or not puff:
        return [closure, release]
    breath = phoneme.aspiration * hiss
    return [closure, release, hold._replace(frames=frames_of(PUFF * length), aspiration=breath)]


def frames_of(seconds: float) -> int:
    """Nearest number of frames, at least one."""
    return max(1, round(seconds * FRAME_RATE))


def tracks_of(
    segments: list[Segment],
    speaker: Speaker,
    n_frames: int,
    onset: float = ONSET,
    burst: float = BURST,
    with_effort: bool = False,
) -> Tracks:
    """Targets held for their frames, then smoothed as fast as each articulator moves.

    onset  s, how fast voice and breath swell and fade
    burst  s, how fast the noise of a constriction does
    with_effort  let weak syllables sound duller
    """
    lengths = [segment.frames for segment in segments]
    phonemes = [segment.phoneme for segment in segments]

    def track(values: list, smoothing: float) -> np.ndarray:
        held = np.repeat(np.array(values, float), lengths, axis=0)[:n_frames]
        bell = np.hanning(frames_of(smoothing) + 2)[1:-1]
        return convolve1d(held, bell / bell.sum(), axis=0, mode="nearest")

    semitones = track([segment.semitones for segment in segments], INTONATION)
    return Tracks(
        pitch=speaker.pitch * 2 ** (semitones / 12),
        voicing=track([segment.voicing for segment in segments], onset),
        aspiration=track([segment.aspiration for segment in segments], onset),
        frication=track([segment.frication for segment in segments], burst),
        noise_hz=track([phoneme.noise_hz for phoneme in phonemes], BURST),
        noise_q=track([phoneme.noise_q for phoneme in phonemes], BURST),
        formants=track([phoneme.formants for phoneme in phonemes], GLIDE),
        damping=track([phoneme.damping for phoneme in phonemes], ONSET),
        nasality=track([float(phoneme.nasal_hz > 0) for phoneme in phonemes], GLIDE),
        nasal_hz=track([phoneme.nasal_hz or NOSE_SHUT for phoneme in phonemes], GLIDE),
        effort=track([segment.effort for segment in segments], GLIDE) if with_effort else None,
    )


def room_noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) noise that falls with frequency, as in every recording."""
    return lfilter([1], [1, -0.8], rng.standard_normal(n, dtype=np.float32))


def recorded(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    """The sound with so many dB more or less at the lower and the upper end."""
    below = lfilter(*butter(1, MICROPHONE_HZ[0], fs=SAMPLE_RATE), sound)
    above = sound - lfilter(*butter(1, MICROPHONE_HZ[1], fs=SAMPLE_RATE), sound)
    return sound + (10 ** (low / 20) - 1) * below + (10 ** (high / 20) - 1) * above
