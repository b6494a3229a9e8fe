"""A measurement made audible: a hand clap at the emitter, convolved with the response."""

from functools import lru_cache

import numpy as np
from scipy.signal import oaconvolve

from av_envs.conventions import SAMPLE_RATE

CLAP_SECONDS = 0.03
ATTACK_SECONDS = 0.0005
CLAP_DECAY = 0.004  # s in which the amplitude falls to 1/e; Repp, "The sound of two hands
# clapping", JASA 1987, shows bursts of about ten milliseconds
FADE_SECONDS = 0.02  # at the end, so that the claps of two steps join
GAIN = 2.0  # pairs that stand together come near full scale


def measured_sound(rir: np.ndarray, seconds: float = 0.25) -> np.ndarray:
    """(2, n) float32 at 16 kHz: a clap convolved with a response, cut and faded to `seconds`.

    rir  (2, m) float32, left ear first

    Differences in level are halved in dB: rooms apart would be inaudible beside the pairs that
    stand together. Between the ears they are kept.
    """
    if np.ndim(rir) != 2 or len(rir) != 2:
        raise ValueError(f"rir must be (2, m), got {np.shape(rir)}")
    n, n_fade = round(seconds * SAMPLE_RATE), round(FADE_SECONDS * SAMPLE_RATE)
    if n <= n_fade:
        raise ValueError(f"seconds must exceed the fade of {FADE_SECONDS} s, got {seconds}")
    energy = float(np.square(rir, dtype=np.float64).sum(axis=1).max())
    sound = np.zeros((2, n), np.float32)
    if energy == 0:
        return sound
    heard = oaconvolve(rir[:, :n], clap()[None], axes=1)[:, :n]
    sound[:, : heard.shape[1]] = GAIN * energy**-0.25 * heard
    sound[:, -n_fade:] *= 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, n_fade))
    return sound


@lru_cache(maxsize=1)
def clap() -> np.ndarray:
    """(480,) float32: a burst of noise of unit energy, the same every time; read-only."""
    time = np.arange(round(CLAP_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    burst = noise * np.minimum(time / ATTACK_SECONDS, 1) * np.exp(-time / CLAP_DECAY)
    burst = (burst / np.linalg.norm(burst)).astype(np.float32)
    burst.setflags(write=False)
    return burst
