"""From articulation to sound: glottal pulses and noise through moving resonances.

A cascade formant synthesiser after Klatt, "Software for a cascade/parallel formant
synthesizer", JASA 67, 1980; its glottal pulse after Klatt and Klatt, JASA 87, 1990.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dtbsv
from scipy.signal import lfilter

from av_envs.sound.clips import SAMPLE_RATE

HOP = 40  # samples per frame, 2.5 ms
FRAME_RATE = SAMPLE_RATE // HOP
VOWEL_GAIN = 0.36  # brings a stressed vowel to an RMS of about 1, the unit of `frication`
UPPER_HZ = (3500, 4500, 5500, 6500, 7500)  # formants of a neutral tract that hardly move
HIGHEST_RESONANCE = 7700.0  # Hz, just below half the sample rate
NASAL_SPACING = 0.22  # how far the zero of a fully nasal sound lies below its pole, relative
NASAL_WIDTH = 120.0  # Hz
DULLNESS = 0.75  # one-pole filter on the pulses of a voice without effort


class Tracks(NamedTuple):
    """Synthesis parameters, one row per frame of HOP samples.

    pitch       (F,) Hz
    voicing     (F,) amplitude of the glottal pulses
    aspiration  (F,) amplitude of the noise at the glottis
    frication   (F,) amplitude of the noise at the constriction
    noise_hz    (F,) centre of the frication noise
    noise_q     (F,) centre over bandwidth
    formants    (F, 3) Hz
    damping     (F,) factor on the bandwidths
    nasality    (F,) 0 with the nose shut, 1 with the mouth shut
    nasal_hz    (F,) resonance that the open nose adds; it takes out a band below
    effort      (F,) 1 for a clear voice, 0 for a dull one; None: always clear
    """

    pitch: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    noise_hz: np.ndarray
    noise_q: np.ndarray
    formants: np.ndarray
    damping: np.ndarray
    nasality: np.ndarray
    nasal_hz: np.ndarray
    effort: np.ndarray | None = None


class Larynx(NamedTuple):
    """Parameters of the vocal folds of one speaker.

    open_quotient  share of a period during which they are open
    smoothness     in (-1, 1), one-pole filter on the pulses; negative is bright
    breathiness    noise that rides on the open phase, relative to the pulses
    roughness      relative random change of period and strength between pulses
    """

    open_quotient: float
    smoothness: float
    breathiness: float
    roughness: float


def sing_out(
    tracks: Tracks, larynx: Larynx, tract_scale: float, rng: np.random.Generator
) -> np.ndarray:
    """(F * HOP,) float64, what comes out of the mouth; a stressed vowel has RMS about 1.

    tract_scale  factor on the fixed upper formants: above 1 for a short vocal tract
    """
    voicing = _every_sample(tracks.voicing)
    pulses, openness = _pulses(_every_sample(tracks.pitch), larynx, rng)
    if tracks.effort is not None:
        dull = lfilter([1 - DULLNESS], [1, -DULLNESS], pulses)
        pulses = dull + _every_sample(tracks.effort) * (pulses - dull)
    noise = rng.standard_normal(len(pulses), dtype=np.float32)
    turbulence = larynx.breathiness * voicing * openness + _every_sample(tracks.aspiration)
    voice = (voicing * pulses + turbulence * noise) / VOWEL_GAIN
    voice = _upper_resonances(voice, tract_scale)
    for formant in tracks.formants.T:
        b, c = _resonance(formant, _bandwidth(formant) * tracks.damping)
        voice = _resonate((1 - b - c) * voice, b, c)
    voice = _through_the_nose(voice, tracks)
    rustle = rng.standard_normal(len(pulses), dtype=np.float32) * _every_sample(tracks.frication)
    rustle *= np.where(voicing < 0.1, 1.0, openness)
    return voice + _hiss(rustle, tracks)


def _every_sample(track: np.ndarray) -> np.ndarray:
    """(F * HOP,) a track drawn out from frames to samples by straight lines."""
    after = np.append(track[1:], track[-1])
    rows = np.multiply.outer(after - track, np.arange(HOP) / HOP)
    rows += track[:, None]
    return rows.ravel()


def _pulses(
    pitch: np.ndarray, larynx: Larynx, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) pulses of the vocal folds whose every `pitch` in Hz is given, and (n,) how open."""
    turns = np.cumsum(pitch / SAMPLE_RATE)
    wobble = larynx.roughness * rng.standard_normal((2, int(turns[-1]) + 64)).clip(-3, 3)
    closings = np.cumsum(1 + wobble[0])
    phase = np.interp(turns, closings, np.arange(1.0, len(closings) + 1))
    cycle = phase.astype(np.int32)
    phase -= cycle
    pulses = (1 + 4 * wobble[1])[cycle] * _pulse(phase, larynx.open_quotient, pitch / SAMPLE_RATE)
    smooth = lfilter([1 - larynx.smoothness], [1, -larynx.smoothness], pulses)
    return smooth, np.where(phase < larynx.open_quotient, 1.0, 0.3)


def _pulse(phase: np.ndarray, open_quotient: float, step: np.ndarray) -> np.ndarray:
    """Derivative of the glottal flow, its jump at the closure smoothed over two samples.

    Without the smoothing the jump would alias. Valimaki and Huovilainen, "Antialiasing
    oscillators in subtractive synthesis", IEEE Signal Processing Magazine, 2007.
    """
    u = phase / open_quotient
    pulse = np.where(u < 1, u * (2 - 3 * u), 0.0)
    near = np.flatnonzero(np.abs(phase - open_quotient) < step)
    x = (phase[near] - open_quotient) / step[near]
    pulse[near] += np.where(x < 0, 0.5 * (1 + x) ** 2, -0.5 * (1 - x) ** 2)
    return pulse


def _bandwidth(hertz: np.ndarray) -> np.ndarray:
    """Hz; walls and lips take more from high resonances."""
    return 95 + 0.02 * hertz + 1.2e-5 * hertz**2


def _resonance(hertz: np.ndarray, width: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) coefficients b and c of y = x + b y[-1] + c y[-2], one per sample, from (F,) Hz."""
    radius = np.exp(-np.pi / SAMPLE_RATE * width) * np.ones(len(hertz))
    b = 2 * radius * np.cos(2 * np.pi / SAMPLE_RATE * hertz)
    return _every_sample(b), _every_sample(-(radius**2))


def _resonate(x: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Solve y = x + b y[-1] + c y[-2]: one banded triangular system, without a loop."""
    bands = np.empty((3, len(x)), order="F")
    bands[0], bands[1], bands[2] = -c, -b, 1.0
    return dtbsv(2, bands, x, trans=1, diag=1)


def _upper_resonances(voice: np.ndarray, tract_scale: float) -> np.ndarray:
    hertz = np.array(UPPER_HZ) * tract_scale
    hertz = hertz[hertz < HIGHEST_RESONANCE]
    radius = np.exp(-np.pi / SAMPLE_RATE * _bandwidth(hertz))
    poles = radius * np.exp(2j * np.pi / SAMPLE_RATE * hertz)
    recursion = np.poly(np.concatenate([poles, poles.conj()])).real
    return lfilter([recursion.sum()], recursion, voice)


def _through_the_nose(voice: np.ndarray, tracks: Tracks) -> np.ndarray:
    """A zero below a pole; where nothing is nasal they meet and nothing happens."""
    pole_b, pole_c = _resonance(tracks.nasal_hz, NASAL_WIDTH)
    zero_hz = tracks.nasal_hz * (1 - NASAL_SPACING * tracks.nasality)
    b, c = _resonance(zero_hz, NASAL_WIDTH)
    x = voice.copy()
    x[1:] -= b[1:] * voice[:-1]
    x[2:] -= c[2:] * voice[:-2]
    return _resonate((1 - pole_b - pole_c) / (1 - b - c) * x, pole_b, pole_c)


def _hiss(rustle: np.ndarray, tracks: Tracks) -> np.ndarray:
    """The noise of the constriction in its band, as loud as before."""
    b, c = _resonance(tracks.noise_hz, tracks.noise_hz / tracks.noise_q)
    x = np.sqrt((1 + c) / 2) * rustle
    x[2:] -= np.sqrt((1 + c[2:]) / 2) * rustle[:-2]
    return _resonate(x, b, c)
