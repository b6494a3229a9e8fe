"""Head-related responses of early paths in octave bands, of which the lowest need long filters.

A filter of 65 taps tells bands apart from 500 Hz up. Below, crossovers take filters of 20 to
40 ms, whose outputs hold nothing above 600 Hz: they are kept at an eighth of the sampling
rate, where a path costs as little as without them.

All filters are in phase with each other (linear phase, the same instant in the middle), so
that bands with the same gain add up to the response again:

    heard = sum over bands b >= 2 of gain[b] * early[b]
            + (gain[0] - gain[1]) * below 177 Hz + (gain[1] - gain[2]) * below 354 Hz

where the lowest band of `early` reaches down to 0 Hz.
"""

from itertools import pairwise

import numpy as np
from numba import njit
from scipy.fft import irfft, rfft
from scipy.signal import get_window

from av_envs.conventions import BANDS_HZ, SAMPLE_RATE

FILTER_TAPS = 65  # of the filters from 500 Hz up
PRE = FILTER_TAPS // 2
CROSSOVERS = [np.sqrt(low * high) for low, high in pairwise(BANDS_HZ)]  # (6,) Hz
LONG_TAPS = 641, 321  # of the filters at the first crossovers: 3.5 periods to either side
N_LONG = len(LONG_TAPS)
LONG_PRE = LONG_TAPS[0] // 2
DECIMATION = 8
REACH = 4  # low-rate samples to either side from which a sample is interpolated


def low_pass(crossover: float, taps: int) -> np.ndarray:
    """(taps,) linear-phase low-pass, one at 0 Hz; crossover in Hz."""
    t = np.arange(taps) - taps // 2
    kernel = np.sinc(2 * crossover / SAMPLE_RATE * t) * np.hanning(taps + 2)[1:-1]
    return kernel / kernel.sum()


def early_bands(responses: np.ndarray) -> np.ndarray:
    """(D, 2, 5, taps) responses in bands that add up to them again, `PRE` samples later.

    responses  (D, 2, n) head-related responses

    Bands from 500 Hz up; the first one holds all that is below as well.
    """
    unit = np.zeros(FILTER_TAPS)
    unit[PRE] = 1
    lows = [low_pass(crossover, FILTER_TAPS) for crossover in CROSSOVERS[N_LONG:]]
    filters = np.diff([np.zeros(FILTER_TAPS), *lows, unit], axis=0)  # differences of low-passes
    return _filtered(responses, filters.astype(np.float32))


def low_bands(responses: np.ndarray) -> np.ndarray:
    """(D, 8, 2, 2, m) responses below the first crossovers at the low rate.

    responses  (D, 2, n) head-related responses
    returns    by direction, samples by which the response begins after a low-rate sample, ear
               and crossover; `LONG_PRE` samples later than the response
    """
    filters = np.zeros((N_LONG, LONG_TAPS[0]), np.float32)
    for row, crossover, taps in zip(filters, CROSSOVERS, LONG_TAPS, strict=False):
        first = (LONG_TAPS[0] - taps) // 2
        row[first : first + taps] = low_pass(crossover, taps)
    full = _filtered(responses, filters)  # (D, 2, 2, taps)
    n = -(-(full.shape[-1] + DECIMATION - 1) // DECIMATION)
    low = np.zeros((len(full), DECIMATION, *full.shape[1:3], n), np.float32)
    for late in range(DECIMATION):
        ends = late, n * DECIMATION - late - full.shape[-1]
        low[:, late] = np.pad(full, [(0, 0)] * 3 + [ends])[..., ::DECIMATION]
    return low


def _filtered(responses: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """(D, 2, F, n) responses through each of (F, taps) filters."""
    n = responses.shape[-1] + filters.shape[-1] - 1
    spectra = rfft(responses, n)[:, :, None] * rfft(filters, n)
    return irfft(spectra, n).astype(np.float32)


def interpolation() -> np.ndarray:
    """(8, 8) float32: from 8 low-rate samples in a row to the 8 samples after the fourth one."""
    step = np.arange(DECIMATION)
    away = step - DECIMATION * (np.arange(2 * REACH)[:, None] - (REACH - 1))
    window = get_window(("kaiser", 6.0), 2 * REACH * DECIMATION + 1, fftbins=False)
    return (np.sinc(away / DECIMATION) * window[away + REACH * DECIMATION]).astype(np.float32)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def add_interpolated(low, ahead, end, between, out):
    """Add signals of the low rate, brought to the full one, to `out` (2, n).

    low      (2, m), zero from sample `end` on; sample `ahead` falls on the first one of `out`
    between  what `interpolation` returns
    """
    n = min(end + REACH, ahead + out.shape[1] // DECIMATION, low.shape[1] - REACH) - ahead
    if n <= 0:
        return
    made = np.empty((DECIMATION, n), np.float32)
    for ear in range(2):
        x = low[ear][ahead - REACH + 1 :]
        x0, x1, x2, x3, x4, x5, x6, x7 = x[0:], x[1:], x[2:], x[3:], x[4:], x[5:], x[6:], x[7:]
        for t in range(DECIMATION):  # one after the other, so that it runs in vector registers
            c0, c1, c2, c3, c4, c5, c6, c7 = between[:, t]
            part = made[t]
            for m in range(n):
                part[m] = (c0 * x0[m] + c1 * x1[m] + c2 * x2[m] + c3 * x3[m]) + (
                    c4 * x4[m] + c5 * x5[m] + c6 * x6[m] + c7 * x7[m]
                )
        mixed = out[ear]
        for m in range(n):
            for t in range(DECIMATION):
                mixed[DECIMATION * m + t] += made[t, m]
