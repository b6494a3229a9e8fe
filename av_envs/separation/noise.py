"""Noise of the agent's own microphones."""

import math
from dataclasses import dataclass

import numpy as np

from av_envs.acoustics.convolution import N_FFT
from av_envs.conventions import SAMPLE_RATE


@dataclass(frozen=True)
class MicrophoneNoise:
    """White Gaussian noise, independent for each ear and second, the same at every pose.

    seed   of the episode
    power  mean square of the samples, full scale
    """

    seed: int
    power: float

    def second(self, t: int) -> np.ndarray:
        """(2, 16000) float32, what the microphones add in second `t` of the episode."""
        noise = np.random.default_rng((self.seed, t)).standard_normal((2, SAMPLE_RATE), np.float32)
        return noise * np.float32(math.sqrt(self.power))

    def spectral_energy(self, n_samples: int) -> float:
        """Expected energy of `n_samples` of it in one half of a spectrum of N_FFT bins."""
        return self.power * n_samples * N_FFT / 2


def power_below(waveform: np.ndarray, snr_db: float) -> float:
    """Mean square that lies `snr_db` below that of a waveform of any shape."""
    return float(np.mean(np.square(waveform, dtype=np.float64))) * 10 ** (-snr_db / 10)


def noise_seed(rng: np.random.Generator) -> int:
    """The number that `rng` would draw next, without drawing it.

    So the episodes that follow are the same with noise and without.
    """
    state = rng.bit_generator.state
    seed = int(rng.integers(2**63))
    rng.bit_generator.state = state
    return seed
