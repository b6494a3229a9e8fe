"""Distance between a predicted impulse response and the measured one.

Equations 8 and 9 of Yu et al., "Measuring Acoustics with Collaborative Multiple Agents",
IJCAI 2023: half the spectral convergence plus half the log-magnitude distance of two
spectrograms, FFT size 1024, hop 120, window 600. One second at 16 kHz has 513
frequencies by 134 frames, as in `torch.stft` with centred frames and mirrored ends.

The environment compares four responses in every step, so the transform is written
out. 16 frames stand side by side, the last axis of every array in it. A real
frame of 1024 samples is a complex one of 512 points (even samples are real parts, odd
ones imaginary). Of these only 300 lie within the window, which makes the first
splitting nearly free; two transforms of 256 points by fours remain. Frames that no
frequency can lift over the floor are not transformed.
"""

from math import prod
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.signal import get_window

N_SAMPLES = 16_000
N_FFT, HOP, WINDOW_LENGTH = 1024, 120, 600
N_FREQUENCIES = N_FFT // 2 + 1
N_FRAMES = 1 + N_SAMPLES // HOP
POWER_FLOOR = 1e-7  # of a spectrogram bin
NORM_FLOOR = 1e-8  # of a whole spectrogram, against division by zero
LOUDEST = 1e3  # mean of a hop up to which the products in `_compare` cannot overflow
WINDOWS = ("hann", "hamming")

LANES = 16  # frames side by side
POINTS = N_FFT // 2
PAIR = 2 * LANES  # real parts, then imaginary ones
IM, TWO, THREE = np.uint64(LANES), np.uint64(2), np.uint64(3)
REACH = WINDOW_LENGTH // HOP  # hops in a window
N_HOPS = N_FRAMES + REACH - 1
RUN = 32  # bins whose magnitudes are multiplied before one logarithm is taken
HALF = np.float32(0.5)
FLOOR = np.float32(POWER_FLOOR)
QUIETEST = np.float32(np.sqrt(POWER_FLOOR))

# contraction and reordering only: that a NaN is no number must stay true
FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
kernel = njit(cache=True, nogil=True, fastmath=FASTMATH)
helper = njit(cache=True, nogil=True, fastmath=FASTMATH, forceinline=True)
exact_helper = njit(cache=True, nogil=True)  # inlined, these two take half as long again


class Spectra(NamedTuple):
    """What is compared of impulse responses; worth keeping for those that are compared often.

    magnitude  (..., 513, 134) float32, at least the square root of 1e-7
    """

    magnitude: np.ndarray


def _turns(size: int, count: int) -> np.ndarray:
    """(count, 2) float32, cosine and sine of -2 pi n / size."""
    angle = -2 * np.pi / size * np.arange(count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def _places() -> np.ndarray:
    """(512,) where the transform leaves each frequency: digits in base 4 are reversed."""
    i = np.arange(POINTS)
    half, i = i // 256, i % 256
    frequency = i // 64 + i // 16 % 4 * 4 + i // 4 % 4 * 16 + i % 4 * 64
    places = np.empty(POINTS, np.int64)
    places[2 * frequency + half] = np.arange(POINTS)
    return places


TURNS_256, TURNS_512, TURNS_1024 = _turns(256, 256), _turns(512, 256), _turns(1024, 257)
PLACES = _places()
WINDOW_SAMPLES = {
    name: get_window(name, WINDOW_LENGTH, fftbins=True).astype(np.float32) for name in WINDOWS
}


def spectra(rirs: np.ndarray, window: str = "hann") -> Spectra:
    """Magnitude spectrograms of impulse responses.

    rirs    (..., 16000) float32, full scale
    window  "hann", of Table 9, or "hamming", of the footnote
    """
    if window not in WINDOW_SAMPLES:
        raise ValueError(f"window must be one of {WINDOWS}, got {window!r}")
    *shape, n_samples = np.shape(rirs)
    if n_samples != N_SAMPLES:
        raise ValueError(f"impulse responses need {N_SAMPLES} samples, got {n_samples}")
    rows = np.require(rirs, np.float32, "CW").reshape(prod(shape), n_samples)
    magnitude = np.empty((len(rows), N_FREQUENCIES, N_FRAMES), np.float32)
    bad = _analyse(rows, WINDOW_SAMPLES[window], magnitude)
    if bad >= 0:
        raise ValueError(
            f"impulse responses must be finite and of a sane level, below {LOUDEST:g} on average, "
            f"response {bad} reaches {np.abs(rows[bad]).max()}"
        )
    return Spectra(magnitude.reshape(*shape, *magnitude.shape[1:]))


def distance(truth: Spectra, predicted: Spectra) -> np.ndarray:
    """Half of Theta plus half of Xi, (...) float64 for spectra (..., 513, 134).

    Theta  |z - p| / |z| in the Frobenius norm; z truth and p prediction, not symmetric
    Xi     mean over all bins of |ln z - ln p|
    """
    z, p = truth.magnitude, predicted.magnitude
    if z.shape != p.shape:
        raise ValueError(f"spectra of shape {z.shape} and {p.shape} cannot be compared")
    out = np.empty(z.shape[:-2])
    bins = N_FREQUENCIES * N_FRAMES
    _compare(z.reshape(-1, bins), p.reshape(-1, bins), out.reshape(-1))
    return out


def stft_distance(truth: np.ndarray, predicted: np.ndarray, window: str = "hann") -> np.ndarray:
    """Distance of each pair, mean over its channels: (P, C, 16000) float32 twice to (P,) float64.

    0 for the truth itself. Theta is 1 for silence, unless the truth is silent, too.
    """
    return distance(spectra(truth, window), spectra(predicted, window)).mean(axis=-1)


@kernel
def _analyse(rirs, window, magnitude):
    """Magnitudes (R, 513, 134) of responses (R, 16000); returns a row that is no sound, or -1."""
    hops = np.zeros((HOP, N_HOPS + LANES), np.float32)
    points = np.empty((POINTS, 2, LANES), np.float32)
    flat = points.reshape(POINTS * PAIR)
    heaviest = np.zeros(REACH, np.float32)  # weight in each hop of the window
    for n in range(WINDOW_LENGTH):
        heaviest[n // HOP] = max(heaviest[n // HOP], window[n])
    loudness = np.empty(N_HOPS, np.float32)
    for row in range(len(rirs)):
        if not _load_hops(rirs[row], hops, loudness):
            return row
        frame = 0
        while frame < N_FRAMES:
            if _is_under_the_floor(loudness, heaviest, frame):
                magnitude[row, :, frame] = QUIETEST
                frame += 1
            else:
                _load_points(hops, window, frame, points)
                _transform_256(flat[: 256 * PAIR])
                _transform_256(flat[256 * PAIR :])
                _store_magnitudes(points, magnitude[row, :, frame : frame + LANES])
                frame += LANES
    return -1


@helper
def _load_hops(rir, hops, loudness):
    """One response with mirrored ends as hops side by side; False if it is no sound."""
    margin, last = WINDOW_LENGTH // 2, len(rir) - 1
    for hop in range(N_HOPS):
        begin, total = hop * HOP - margin, np.float32(0)
        if begin >= 0 and begin + HOP <= len(rir):
            piece = rir[begin : begin + HOP]
            for i in range(HOP):
                total += abs(piece[i])
                hops[i, hop] = piece[i]
        else:
            for i in range(HOP):
                sample = rir[min(abs(begin + i), 2 * last - begin - i)]
                total += abs(sample)
                hops[i, hop] = sample
        if not total < HOP * LOUDEST:
            return False
        loudness[hop] = total
    return True


@helper
def _is_under_the_floor(loudness, heaviest, frame):
    """Whether no frequency can reach the floor: none exceeds the sum of weighted samples."""
    bound = np.float32(0)
    for i in range(REACH):
        bound += heaviest[i] * loudness[frame + i]
    return bound < QUIETEST


@exact_helper
def _load_points(hops, window, frame, points):
    """Windowed frames as complex points, split into those for even and for odd frequencies."""
    beyond = WINDOW_LENGTH // 2 - 256  # points that the window has in the second half
    for p in range(256):
        cos, sin = TURNS_512[p, 0], TURNS_512[p, 1]
        column = frame + 2 * p // HOP
        re = hops[2 * p % HOP, column : column + LANES]
        im = hops[2 * p % HOP + 1, column : column + LANES]
        weight_re, weight_im = window[2 * p], window[2 * p + 1]
        if p < beyond:
            q = p + 256
            column = frame + 2 * q // HOP
            far_re = hops[2 * q % HOP, column : column + LANES]
            far_im = hops[2 * q % HOP + 1, column : column + LANES]
            far_weight_re, far_weight_im = window[2 * q], window[2 * q + 1]
            for lane in range(LANES):
                x, y = weight_re * re[lane], weight_im * im[lane]
                far_x, far_y = far_weight_re * far_re[lane], far_weight_im * far_im[lane]
                points[p, 0, lane] = x + far_x
                points[p, 1, lane] = y + far_y
                x, y = x - far_x, y - far_y
                points[q, 0, lane] = x * cos - y * sin
                points[q, 1, lane] = x * sin + y * cos
        else:
            for lane in range(LANES):
                x, y = weight_re * re[lane], weight_im * im[lane]
                points[p, 0, lane] = x
                points[p, 1, lane] = y
                points[p + 256, 0, lane] = x * cos - y * sin
                points[p + 256, 1, lane] = x * sin + y * cos


@helper
def _transform_256(points):
    """Complex transforms (256 * PAIR,) in place, decimation in frequency by fours."""
    _split_by_four(points, 256)
    _split_by_four(points, 64)
    _split_by_four(points, 16)
    _split_by_four(points, 4)


@helper
def _split_by_four(points, size):
    """One step of transforms of `size` points, a constant once this is inlined."""
    quarter, turn = size // 4, 256 // size
    step = np.uint64(quarter * PAIR)
    for j in range(quarter):
        c1, s1 = TURNS_256[turn * j, 0], TURNS_256[turn * j, 1]
        c2, s2 = TURNS_256[2 * turn * j, 0], TURNS_256[2 * turn * j, 1]
        c3, s3 = TURNS_256[3 * turn * j, 0], TURNS_256[3 * turn * j, 1]
        for start in range(j, 256, size):
            for lane in range(LANES):
                a = np.uint64(start * PAIR + lane)
                b, c, d = a + step, a + TWO * step, a + THREE * step
                even_x, even_y = points[a] + points[c], points[a + IM] + points[c + IM]
                odd_x, odd_y = points[a] - points[c], points[a + IM] - points[c + IM]
                sum_x, sum_y = points[b] + points[d], points[b + IM] + points[d + IM]
                turned_x, turned_y = points[b + IM] - points[d + IM], points[d] - points[b]
                points[a] = even_x + sum_x
                points[a + IM] = even_y + sum_y
                x, y = odd_x + turned_x, odd_y + turned_y
                points[b] = x * c1 - y * s1
                points[b + IM] = x * s1 + y * c1
                x, y = even_x - sum_x, even_y - sum_y
                points[c] = x * c2 - y * s2
                points[c + IM] = x * s2 + y * c2
                x, y = odd_x - turned_x, odd_y - turned_y
                points[d] = x * c3 - y * s3
                points[d + IM] = x * s3 + y * c3


@exact_helper
def _store_magnitudes(points, magnitude):
    """Magnitudes (513, up to LANES) of real frames from transforms of their complex points."""
    low_row, high_row = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for k in range(257):
        z, mirror = points[PLACES[k]], points[PLACES[-k % POINTS]]
        cos, sin = TURNS_1024[k, 0], TURNS_1024[k, 1]
        for lane in range(LANES):
            even_x = HALF * (z[0, lane] + mirror[0, lane])
            even_y = HALF * (z[1, lane] - mirror[1, lane])
            odd_x = HALF * (z[1, lane] + mirror[1, lane])
            odd_y = HALF * (mirror[0, lane] - z[0, lane])
            x, y = odd_x * cos - odd_y * sin, odd_x * sin + odd_y * cos
            low_x, low_y, high_x, high_y = even_x + x, even_y + y, even_x - x, even_y - y
            low_row[lane] = np.sqrt(max(low_x * low_x + low_y * low_y, FLOOR))
            high_row[lane] = np.sqrt(max(high_x * high_x + high_y * high_y, FLOOR))
        low, high = magnitude[k], magnitude[N_FREQUENCIES - 1 - k]
        for lane in range(len(low)):
            low[lane] = low_row[lane]
            high[lane] = high_row[lane]


@kernel
def _compare(truth, predicted, out):
    """Distances (R,) of magnitudes (R, bins).

    |ln z - ln p| is the logarithm of the larger over the smaller, and a sum of
    logarithms is one of a product.
    """
    n = truth.shape[1]
    for row in range(len(truth)):
        difference, energy, logs = 0.0, 0.0, 0.0
        for start in range(0, n, RUN):
            z, p = truth[row, start : start + RUN], predicted[row, start : start + RUN]
            run_difference, run_energy = np.float32(0), np.float32(0)
            larger, smaller = 1.0, 1.0
            for i in range(len(z)):
                step = z[i] - p[i]
                run_difference += step * step
                run_energy += z[i] * z[i]
                larger *= max(z[i], p[i])
                smaller *= min(z[i], p[i])
            difference += run_difference
            energy += run_energy
            logs += np.log(larger / smaller)
        theta = np.sqrt(difference) / max(np.sqrt(energy), NORM_FLOOR)
        out[row] = 0.5 * theta + 0.5 * logs / n
