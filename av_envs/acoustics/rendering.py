"""What the ears hear in one second: dry sounds through the room, all sources together.

Causal rendering (default) hears the last second as it is: the sound of this second and
the reverberation of the second before, both through the impulse response of the
current pose. Standing still, the seconds join into exactly one long convolution.

`legacy_same` is what the code of Majumder and Grauman, ECCV 2022, does: only the
current second, the centre of the full convolution (so everything comes early by half
the length of the response and the tail is lost), samples rounded to 16-bit integers.
"""

import numpy as np
import scipy.fft

from av_envs.conventions import SAMPLE_RATE

CONVOLUTIONS = ("causal", "legacy_same")
N_FFT = 2 * SAMPLE_RATE  # a second of sound and a second of response
N_BINS = N_FFT // 2 + 1


def transform(signals: np.ndarray) -> np.ndarray:
    """Spectra of up to two seconds, (..., n) float32 to (..., 16001) complex64.

    Give it four or more rows at a time: fewer do not fill the vector registers.
    """
    return scipy.fft.rfft(signals, N_FFT)


def render_causal(windows: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """The last second of each source at each ear.

    windows    (S, 16001) complex64, `transform` of the previous and the current dry second
    responses  (..., S, 2, 16001) complex64, `transform` of the impulse responses
    returns    (..., S, 2, 16000) float32

    The product is a circular convolution of 2 s; its second half is free of wrapping.
    """
    return scipy.fft.irfft(responses * windows[:, None], N_FFT)[..., SAMPLE_RATE:]


def render_legacy_same(seconds: np.ndarray, responses: np.ndarray, n_response: int) -> np.ndarray:
    """The centre of the full convolution, rounded to 16-bit integers that wrap around.

    seconds     (S, 16001) complex64, `transform` of the current dry second
    responses   (..., S, 2, 16001) complex64, `transform` of the impulse responses
    n_response  samples of an impulse response
    returns     (..., S, 2, 16000) float32
    """
    full = scipy.fft.irfft(responses * seconds[:, None], N_FFT)
    start = (n_response - 1) // 2
    same = full[..., start : start + SAMPLE_RATE]
    return np.round(same * 32768).astype(np.int64).astype(np.int16).astype(np.float32) / 32768
