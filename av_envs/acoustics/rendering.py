"""What the ears hear in one second: dry sounds through the room, all sources together.

Causal rendering (default) hears the last second as it is: the sound of this second and
the reverberation of the second before, both through the impulse response of the
current pose. Standing still, the seconds join into exactly one long convolution.

`legacy_same` is what the code of Majumder and Grauman, ECCV 2022, does: only the
current second, the centre of the full convolution (so everything comes early by half
the length of the response and the tail is lost), samples rounded to 16-bit integers.

Everything stays in the frequency domain until all sources are added. `n_fft` is a
second of sound plus room for the longest response, see `fft_size`.
"""

import numpy as np
import scipy.fft
from numba import njit

from av_envs.conventions import SAMPLE_RATE

CONVOLUTIONS = ("causal", "legacy_same")
FFT_SIZES = (20_480, 25_600, 32_000)  # responses of 0.28, 0.6 and 1 s
RESPONSE_SAMPLES = SAMPLE_RATE  # a response as stored; what follows its end is zero
LEGACY_SHIFT = (RESPONSE_SAMPLES - 1) // 2


def fft_size(n_response: int) -> int:
    """Smallest transform that convolves a second with a response of that many samples."""
    for size in FFT_SIZES:
        if n_response <= size - SAMPLE_RATE:
            return size
    raise ValueError(f"a response lasts at most {RESPONSE_SAMPLES} samples, got {n_response}")


def dry_spectra(windows: np.ndarray, convolution: str, n_fft: int) -> np.ndarray:
    """Spectra of dry sound, ready for `mix_spectra`.

    windows  (..., 32000) float32, the previous and the current second
    returns  (..., n_fft // 2 + 1) complex64

    Four rows or more at a time are transformed twice as fast as fewer.
    """
    heard = SAMPLE_RATE if convolution == "legacy_same" else n_fft
    return scipy.fft.rfft(windows[..., -heard:], n_fft)


def response_spectra(responses: np.ndarray, n_fft: int) -> np.ndarray:
    """(..., 16000) float32 impulse responses to (..., n_fft // 2 + 1) complex64."""
    return scipy.fft.rfft(responses[..., : n_fft - SAMPLE_RATE], n_fft)


@njit(cache=True, nogil=True, fastmath=True)
def mix_spectra(dry, responses, mixture, energy):
    """Add the sources at every ear, and compare the first source with all others.

    dry        (S, F) complex64
    responses  (P, S, 2, F) complex64, P poses
    mixture    (P, 2, F) complex64, filled: mean over the sources
    energy     (P, 2, 2) float64, filled: per ear, energy of the first source and of the others
    """
    n_poses, n_sources, _, n_bins = responses.shape
    share = np.float32(1 / n_sources)
    for pose in range(n_poses):
        for ear in range(2):
            target_energy, rest_energy = np.float32(0), np.float32(0)
            target = responses[pose, 0, ear]
            row = mixture[pose, ear]
            row[:] = 0
            for source in range(1, n_sources):
                response, sound = responses[pose, source, ear], dry[source]
                for f in range(n_bins):
                    row[f] += response[f] * sound[f]
            for f in range(n_bins):
                heard = target[f] * dry[0, f]
                rest = row[f]
                target_energy += heard.real * heard.real + heard.imag * heard.imag
                rest_energy += rest.real * rest.real + rest.imag * rest.imag
                row[f] = (heard + rest) * share
            energy[pose, ear, 0] = target_energy
            energy[pose, ear, 1] = rest_energy


def heard_second(mixture: np.ndarray, convolution: str, n_fft: int) -> np.ndarray:
    """(..., F) spectra of what arrives at ears to (..., 16000) float32, the last second."""
    arrived = scipy.fft.irfft(mixture, n_fft)
    if convolution == "causal":
        return arrived[..., -SAMPLE_RATE:]  # free of the wrapping of the circular convolution
    same = arrived[..., LEGACY_SHIFT : LEGACY_SHIFT + SAMPLE_RATE]
    return np.round(same * 32768).astype(np.int64).astype(np.int16).astype(np.float32) / 32768
