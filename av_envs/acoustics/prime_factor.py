"""Short-time Fourier transforms with frames of 1023 samples, 32 frames side by side.

1023 = 31 * 11 * 3 is awkward for libraries made for small factors. As its factors have
no divisor in common, it becomes a plain transform in three dimensions once samples and
frequencies are numbered by remainders: Good, "The interaction algorithm and practical
Fourier analysis", J. R. Statist. Soc. B 1958; Burrus and Eschenbacher, "An in-place,
in-order prime factor FFT algorithm", IEEE TASSP 1981. Sums and differences of opposite
samples halve the work in each dimension, and of the 31 remainders of frequencies 16 are
enough for a real signal.

32 frames are a block. They are the last axis of its arrays, a fixed number of lanes, so
that the innermost loops become vector instructions. Their samples are kept as 33 hops,
(512, 33) float32, since a frame is one hop and the next but for a sample. Their spectra
are a grid (16, 33, 64) float32, by the remainder of the frequency to 31 and those to 11
and 3, with 32 real and 32 imaginary parts.
"""

import numpy as np
from numba import njit

N_FFT = 1023
HOP = 512
LANES = 32
ROWS_AT_ONCE = 16  # few enough to stay in the cache while hops are transposed
PAIR = 2 * LANES  # real parts, then imaginary ones

ZERO, HALF, SINE_60 = (np.float32(x) for x in (0, 0.5, np.sqrt(0.75)))
SCALE = np.float32(2 / N_FFT)  # 2, as each frequency stands for its mirror image too


def _waves(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of 2 pi k n / size, (size, size // 2 + 1) for all k and half of n."""
    angle = 2 * np.pi / size * np.outer(np.arange(size), np.arange(size // 2 + 1))
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _samples(direction: int) -> np.ndarray:
    """(33, 31) which sample of a frame lies where; rows count 11 times 3."""
    n_11, n_3, n_31 = np.ogrid[:11, :3, :31]
    n = 33 * n_31 + direction * (93 * n_11 + 341 * n_3)
    return (n % N_FFT).reshape(33, 31).astype(np.uint32)


def _frequencies() -> np.ndarray:
    """(16, 33) which frequency lies where; columns count 11 times 3."""
    k = np.arange(N_FFT)
    frequencies = np.empty((31, 11, 3), np.int64)
    frequencies[k % 31, k % 11, k % 3] = k
    return frequencies[:16].reshape(16, 33)


def _places(samples: np.ndarray) -> np.ndarray:
    """Positions in the hops of a block of the samples of the first frame."""
    return (samples % HOP * (LANES + 1) + samples // HOP).astype(np.uint32)


COSINES_31, SINES_31 = _waves(31)
COSINES_11, SINES_11 = _waves(11)
SAMPLES = _samples(1)
SAMPLES_BACK = _samples(-1)  # which makes `_transform_33` its own inverse
PLACES, PLACES_BACK = _places(SAMPLES), _places(SAMPLES_BACK)
MIRRORED = _frequencies() >= HOP  # held as the complex conjugate
ROWS = np.where(MIRRORED, N_FFT - _frequencies(), _frequencies()).astype(np.uint32)
SIGNS = np.where(MIRRORED, -1, 1).astype(np.float32)

kernel = njit(cache=True, nogil=True, fastmath=True)
helper = njit(cache=True, nogil=True, fastmath=True, forceinline=True)


@kernel
def analyse(signals: np.ndarray, window: np.ndarray, spectra: np.ndarray) -> None:
    """Spectra of windowed frames, centred on the samples 0, 512, ..., zeros beyond the ends.

    signals  (S, n_samples) float32
    window   (1023,) float32
    spectra  (S, 512, n_frames * 2) float32, overwritten: real, imaginary, real, ...
    """
    hops = np.empty(HOP * (LANES + 1), np.float32)
    piece = np.empty(HOP * (LANES + 1), np.float32)
    grid = np.empty((16, 33, PAIR), np.float32)
    for s in range(len(signals)):
        for first in range(0, spectra.shape[2] // 2, LANES):
            _load_hops(signals[s], first * HOP - N_FFT // 2, piece, hops)
            _transform_31(hops, window, grid)
            _transform_33(grid.reshape(16, 11, 3 * PAIR))
            _store_spectra(grid, first, spectra[s])


@kernel
def synthesise(
    spectra: np.ndarray, window: np.ndarray, weight: np.ndarray, signals: np.ndarray
) -> None:
    """Windowed frames of given spectra, added up and multiplied with a weight.

    weight  (n_samples,) float32; the rest as for `analyse`, `signals` overwritten
    """
    hops = np.empty(HOP * (LANES + 1), np.float32)
    piece = np.empty(HOP * (LANES + 1), np.float32)
    grid = np.empty((16, 33, PAIR), np.float32)
    signals[:] = 0
    for s in range(len(signals)):
        for first in range(0, spectra.shape[2] // 2, LANES):
            _load_spectra(spectra[s], first, grid)
            _transform_33(grid.reshape(16, 11, 3 * PAIR))
            _transform_31_back(grid, window, hops)
            _add_hops(hops, weight, first * HOP - N_FFT // 2, piece, signals[s])


@helper
def _load_hops(signal: np.ndarray, begin: int, piece: np.ndarray, hops: np.ndarray) -> None:
    """The hops that start at a sample; zeros where there is no signal."""
    low, high = max(0, -begin), min(len(piece), len(signal) - begin)
    piece[:low] = 0
    piece[high:] = 0
    heard, samples = signal[begin + low : begin + high], piece[low:high]
    for i in range(len(heard)):
        samples[i] = heard[i]
    for start in range(0, HOP, ROWS_AT_ONCE):
        for hop in range(LANES + 1):
            row = piece[hop * HOP + start :]
            for i in range(ROWS_AT_ONCE):
                hops[(start + i) * (LANES + 1) + hop] = row[i]


@helper
def _add_hops(
    hops: np.ndarray, weight: np.ndarray, begin: int, piece: np.ndarray, signal: np.ndarray
) -> None:
    for start in range(0, HOP, ROWS_AT_ONCE):
        for hop in range(LANES + 1):
            row = piece[hop * HOP + start :]
            for i in range(ROWS_AT_ONCE):
                row[i] = hops[(start + i) * (LANES + 1) + hop]
    low, high = max(0, -begin), min(len(piece), len(signal) - begin)
    heard = signal[begin + low : begin + high]
    weights, samples = weight[begin + low : begin + high], piece[low:high]
    for i in range(len(heard)):
        heard[i] += SCALE * weights[i] * samples[i]


@helper
def _store_spectra(grid: np.ndarray, first: int, spectra: np.ndarray) -> None:
    for k in range(16):
        for column in range(33):
            row = spectra[ROWS[k, column]][2 * first : 2 * (first + LANES)]
            sign = SIGNS[k, column]
            for lane in range(len(row) // 2):
                row[2 * lane] = grid[k, column, lane]
                row[2 * lane + 1] = sign * grid[k, column, lane + LANES]


@helper
def _load_spectra(spectra: np.ndarray, first: int, grid: np.ndarray) -> None:
    if 2 * (first + LANES) > spectra.shape[1]:
        grid[:] = 0  # lanes without a frame
    for k in range(16):
        for column in range(33):
            row = spectra[ROWS[k, column]][2 * first : 2 * (first + LANES)]
            sign = SIGNS[k, column]
            for lane in range(len(row) // 2):
                grid[k, column, lane] = row[2 * lane]
                grid[k, column, lane + LANES] = sign * row[2 * lane + 1]


@helper
def _transform_31(hops: np.ndarray, window: np.ndarray, grid: np.ndarray) -> None:
    """33 transforms of 31 windowed samples, from hops into the grid."""
    even = np.empty((16, LANES), np.float32)
    odd = np.empty((16, LANES), np.float32)
    for column in range(33):
        place, weight = PLACES[column, 0], window[SAMPLES[column, 0]]
        for lane in range(LANES):
            even[0, lane] = weight * hops[place + lane]
        for n in range(1, 16):
            place, weight = PLACES[column, n], window[SAMPLES[column, n]]
            opposite, its_weight = PLACES[column, 31 - n], window[SAMPLES[column, 31 - n]]
            for lane in range(LANES):
                a, b = weight * hops[place + lane], its_weight * hops[opposite + lane]
                even[n, lane] = a + b
                odd[n, lane] = a - b
        for k in range(16):
            for lane in range(LANES):
                total = even[0, lane]
                for n in range(1, 16):
                    total += COSINES_31[k, n] * even[n, lane]
                grid[k, column, lane] = total
            for lane in range(LANES):
                total = ZERO
                for n in range(1, 16):
                    total -= SINES_31[k, n] * odd[n, lane]
                grid[k, column, lane + LANES] = total


@helper
def _transform_31_back(grid: np.ndarray, window: np.ndarray, hops: np.ndarray) -> None:
    """The way back, from the grid to windowed samples in hops."""
    even = np.empty((16, LANES), np.float32)
    odd = np.empty((16, LANES), np.float32)
    hops[:] = 0
    for column in range(33):
        for n in range(16):
            for lane in range(LANES):
                total = HALF * grid[0, column, lane]  # its own mirror image
                for k in range(1, 16):
                    total += COSINES_31[n, k] * grid[k, column, lane]
                even[n, lane] = total
            for lane in range(LANES):
                total = ZERO
                for k in range(1, 16):
                    total += SINES_31[n, k] * grid[k, column, lane + LANES]
                odd[n, lane] = total
        place, weight = PLACES_BACK[column, 0], window[SAMPLES_BACK[column, 0]]
        for lane in range(LANES):
            hops[place + lane] += weight * even[0, lane]
        for n in range(1, 16):
            place, weight = PLACES_BACK[column, n], window[SAMPLES_BACK[column, n]]
            opposite, its_weight = PLACES_BACK[column, 31 - n], window[SAMPLES_BACK[column, 31 - n]]
            for lane in range(LANES):
                a, b = even[n, lane], odd[n, lane]
                hops[place + lane] += weight * (a - b)
                hops[opposite + lane] += its_weight * (a + b)


@helper
def _transform_33(grid: np.ndarray) -> None:
    """16 complex transforms of 11 by 3 points, (16, 11, 3 * PAIR) in place."""
    even = np.empty((6, 3 * PAIR), np.float32)
    odd = np.empty((6, 3 * PAIR), np.float32)
    for k in range(16):
        block = grid[k]
        _transform_11(block, even, odd)
        for row in range(11):
            _transform_3(block[row, :PAIR], block[row, PAIR : 2 * PAIR], block[row, 2 * PAIR :])


@helper
def _transform_11(block: np.ndarray, even: np.ndarray, odd: np.ndarray) -> None:
    for lane in range(3 * PAIR):
        even[0, lane] = block[0, lane]
    for n in range(1, 6):
        for lane in range(3 * PAIR):
            even[n, lane] = block[n, lane] + block[11 - n, lane]
            odd[n, lane] = block[n, lane] - block[11 - n, lane]
    for k in range(11):
        for lane in range(3 * PAIR):
            total = even[0, lane]
            for n in range(1, 6):
                total += COSINES_11[k, n] * even[n, lane]
            block[k, lane] = total
    for k in range(1, len(block)):
        for start in range(0, 3 * PAIR, PAIR):
            for re in range(start, start + LANES):
                im = re + LANES
                x, y = ZERO, ZERO
                for n in range(1, 6):
                    x += SINES_11[k, n] * odd[n, im]
                    y += SINES_11[k, n] * odd[n, re]
                block[k, re] += x
                block[k, im] -= y


@helper
def _transform_3(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    for re in range(LANES):
        im = re + LANES
        even_re, even_im = b[re] + c[re], b[im] + c[im]
        odd_re, odd_im = SINE_60 * (b[im] - c[im]), SINE_60 * (c[re] - b[re])  # times -i
        rest_re, rest_im = a[re] - HALF * even_re, a[im] - HALF * even_im
        a[re] += even_re
        a[im] += even_im
        b[re], b[im] = rest_re + odd_re, rest_im + odd_im
        c[re], c[im] = rest_re - odd_re, rest_im - odd_im
