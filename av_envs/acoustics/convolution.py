"""One second of binaural audio: dry sounds convolved with responses, summed over sources.

Causal rendering (default) hears the last second as it is: the sound of this second and
the reverberation of the second before, both through the impulse response of the
current pose. Standing still, the seconds join into exactly one long convolution.

`legacy_same` is what the code of Majumder and Grauman, ECCV 2022, does: only the
current second, the centre of the full convolution (so everything comes early by half
the length of the response and the tail is lost), samples rounded to 16-bit integers.

Spectra are complex64 with F = 16001 bins: two seconds, one of sound and one of response.
"""

import numpy as np
import scipy.fft
from numba import njit

from av_envs.conventions import SAMPLE_RATE

CONVOLUTIONS = ("causal", "legacy_same")
N_FFT = 2 * SAMPLE_RATE
N_BINS = N_FFT // 2 + 1
LEGACY_SHIFT = (SAMPLE_RATE - 1) // 2  # half of a response of one second


def dry_spectra(windows: np.ndarray, convolution: str) -> np.ndarray:
    """Spectra of dry sound, (..., 32000) float32 to (..., F).

    windows  the previous and the current second; `legacy_same` hears only the current one

    Four rows or more at a time are transformed twice as fast as fewer.
    """
    if convolution == "legacy_same":
        windows = windows[..., SAMPLE_RATE:]
    return scipy.fft.rfft(windows, N_FFT)


def response_spectra(responses: np.ndarray) -> np.ndarray:
    """Spectra of impulse responses, (..., 16000) float32 to (..., F)."""
    return scipy.fft.rfft(responses, N_FFT)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def write_source(dry, response, heard):
    """Write the spectrum of one source at one ear, and return its energy; all (F,) complex64."""
    total = np.float32(0)
    for f in range(len(dry)):
        value = response[f] * dry[f]
        total += value.real * value.real + value.imag * value.imag
        heard[f] = value
    return total


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def add_source(dry, response, heard):
    """Add the spectrum of one source at one ear, and return its energy; all (F,) complex64."""
    total = np.float32(0)
    for f in range(len(dry)):
        value = response[f] * dry[f]
        total += value.real * value.real + value.imag * value.imag
        heard[f] += value
    return total


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def spectral_energy(heard):
    """Energy of a spectrum (F,) complex64."""
    total = np.float32(0)
    for f in range(len(heard)):
        total += heard[f].real * heard[f].real + heard[f].imag * heard[f].imag
    return total


def heard_second(ears: np.ndarray, convolution: str) -> np.ndarray:
    """The last second of what arrives, (..., F) spectra to (..., 16000) float32."""
    arrived = scipy.fft.irfft(ears, N_FFT)
    if convolution == "causal":
        return arrived[..., SAMPLE_RATE:]  # the half that is free of circular wrapping
    same = arrived[..., LEGACY_SHIFT : LEGACY_SHIFT + SAMPLE_RATE]
    return np.round(same * 32768).astype(np.int64).astype(np.int16).astype(np.float32) / 32768
