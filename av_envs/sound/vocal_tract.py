"""From articulation to sound: glottal pulses and noise through moving resonances.

A cascade formant synthesiser after Klatt, "Software for a cascade/parallel formant
synthesizer", JASA 67, 1980; its glottal pulse after Klatt and Klatt, JASA 87, 1990.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.sound.clips import SAMPLE_RATE

HOP = 40  # samples per frame, 2.5 ms
FRAME_RATE = SAMPLE_RATE // HOP
VOWEL_GAIN = 0.36  # brings a stressed vowel to an RMS of about 1, the unit of `frication`
HIGHEST_RESONANCE = 7600.0  # Hz, just below half the sample rate


class Tracks(NamedTuple):
    """What the speaker does, one row per frame of HOP samples.

    pitch       (F,) Hz
    voicing     (F,) amplitude of the glottal pulses
    aspiration  (F,) amplitude of the noise at the glottis
    frication   (F,) amplitude of the noise at the constriction
    noise_hz    (F,) centre of the frication noise
    noise_q     (F,) centre over bandwidth
    formants    (F, 3) Hz
    damping     (F,) factor on the bandwidths
    """

    pitch: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    noise_hz: np.ndarray
    noise_q: np.ndarray
    formants: np.ndarray
    damping: np.ndarray


class Larynx(NamedTuple):
    """How the vocal folds of one speaker move.

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
    """(F * HOP,) float32, what comes out of the mouth; a stressed vowel has RMS about 1.

    tract_scale  factor on the fixed upper formants: above 1 for a short vocal tract
    """
    n_samples = len(tracks.pitch) * HOP
    noise = rng.standard_normal((2, n_samples), dtype=np.float32)
    wobble = rng.standard_normal((2, n_samples // 16), dtype=np.float32)
    excitation = np.empty(n_samples, np.float32)
    rustle = np.empty(n_samples, np.float32)
    _excite(tracks, larynx, noise, wobble, excitation, rustle)
    voice = np.empty(n_samples, np.float32)
    _resonate(*_cascade(tracks, tract_scale), excitation, voice)
    _rustle(*_noise_band(tracks), rustle, voice)
    return voice


def _cascade(tracks: Tracks, tract_scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(F, 7) coefficients b and c of y = (1 - b - c) x + b y[-1] + c y[-2], one per formant."""
    upper = np.minimum(np.array([3500, 4500, 5500, 6500]) * tract_scale, HIGHEST_RESONANCE)
    n_frames = len(tracks.pitch)
    centre = np.concatenate([tracks.formants, np.tile(upper, (n_frames, 1))], axis=1)
    width = 75 + 0.02 * centre + 2e-5 * centre**2
    width[:, :3] *= tracks.damping[:, None]
    radius = np.exp(-np.pi / SAMPLE_RATE * width)
    b = 2 * radius * np.cos(2 * np.pi / SAMPLE_RATE * centre)
    return b, -(radius**2)


def _noise_band(tracks: Tracks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F,) gain, b, c of a band-pass that turns white noise of RMS 1 into band noise of RMS 1."""
    width = tracks.noise_hz / tracks.noise_q
    radius = np.exp(-np.pi / SAMPLE_RATE * width)
    b = 2 * radius * np.cos(2 * np.pi / SAMPLE_RATE * tracks.noise_hz)
    return np.sqrt((1 - radius**2) / 2), b, -(radius**2)


@njit(cache=True, nogil=True)
def _excite(tracks, larynx, noise, wobble, excitation, rustle):
    phase, flow, cycle = 0.0, 0.0, 0
    period_factor, strength = 1.0, 1.0
    for i in range(len(excitation)):
        frame = i // HOP
        after = min(frame + 1, len(tracks.pitch) - 1)
        mix = (i % HOP) / HOP
        voicing = _between(tracks.voicing, frame, after, mix)
        step = _between(tracks.pitch, frame, after, mix) * period_factor / SAMPLE_RATE
        phase += step
        if phase >= 1.0:
            phase -= 1.0
            cycle = (cycle + 1) % wobble.shape[1]
            period_factor = 1.0 + larynx.roughness * wobble[0, cycle]
            strength = 1.0 + 4.0 * larynx.roughness * wobble[1, cycle]
        pulse = strength * _pulse(phase, larynx.open_quotient, step)
        flow += (1.0 - larynx.smoothness) * (pulse - flow)
        is_open = 1.0 if phase < larynx.open_quotient else 0.3
        turbulence = _between(tracks.aspiration, frame, after, mix)
        turbulence += larynx.breathiness * voicing * is_open
        excitation[i] = voicing * flow + turbulence * noise[0, i]
        gating = 1.0 if voicing < 0.1 else is_open
        rustle[i] = _between(tracks.frication, frame, after, mix) * gating * noise[1, i]


@njit(cache=True, nogil=True, inline="always")
def _between(track, frame, after, mix):
    return track[frame] + mix * (track[after] - track[frame])


@njit(cache=True, nogil=True)
def _pulse(phase, open_quotient, step):
    """Derivative of the glottal flow, its jump at the closure smoothed over two samples.

    Without the smoothing the jump would alias. Valimaki and Huovilainen, "Antialiasing
    oscillators in subtractive synthesis", IEEE Signal Processing Magazine, 2007.
    """
    u = phase / open_quotient
    pulse = 2 * u - 3 * u * u if u < 1.0 else 0.0
    x = (phase - open_quotient) / step
    if 0.0 <= x < 1.0:
        pulse -= 0.5 * (1.0 - x) ** 2
    elif -1.0 < x < 0.0:
        pulse += 0.5 * (1.0 + x) ** 2
    return pulse


@njit(cache=True, nogil=True)
def _resonate(b, c, excitation, voice):
    """Run the excitation through all resonances in series."""
    last, before = np.zeros(b.shape[1]), np.zeros(b.shape[1])
    for i in range(len(voice)):
        frame = i // HOP
        x = excitation[i] / VOWEL_GAIN
        for k in range(b.shape[1]):
            x = (1.0 - b[frame, k] - c[frame, k]) * x + b[frame, k] * last[k]
            x += c[frame, k] * before[k]
            before[k], last[k] = last[k], x
        voice[i] = x


@njit(cache=True, nogil=True)
def _rustle(gain, b, c, rustle, voice):
    """Add the frication noise, which is made in front of the resonances."""
    y1 = y2 = x1 = x2 = 0.0
    for i in range(len(voice)):
        frame = i // HOP
        y = gain[frame] * (rustle[i] - x2) + b[frame] * y1 + c[frame] * y2
        x2, x1 = x1, rustle[i]
        y2, y1 = y1, y
        voice[i] += y
