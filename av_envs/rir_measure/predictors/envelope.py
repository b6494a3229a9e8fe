"""An impulse response as direct sound and decaying noise, and back.

Time counts from the instant at which sound on the straight line arrives. What remains
after the direct sound is kept as log energy per ear, time bin and octave band.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.fft import rfft
from scipy.signal import get_window

from av_envs.acoustics.binaural import GRID, PRE, ear_tables, octave_power_filters
from av_envs.acoustics.response import MIN_LENGTH
from av_envs.conventions import N_BANDS, SAMPLE_RATE
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors.flat_noise import flat_noise_bands
from av_envs.rir_measure.predictors.geometry import arrivals, azimuths, distances

BLOCK = 128  # samples, 8 ms; energy is measured in frames of two blocks, centred on blocks
N_BLOCKS = SAMPLE_RATE // BLOCK - 1
EDGES = np.array(  # of the time bins, in blocks: they widen as the decay gets smooth
    [*range(9), 10, 12, 14, 16, 20, 24, 28, *range(32, N_BLOCKS, 8), N_BLOCKS]
)
N_TIMES = len(EDGES) - 1
CENTRES = (EDGES[1:] + EDGES[:-1] - 1) / 2
SEEN = 0.5  # of the direct sound in a free field: with more, emitter and receiver see each other
LEVEL = 0.8  # of flat noise that comes nearest to a noise of the same energy
WINDOW = np.sqrt(get_window("hann", 2 * BLOCK)).astype(np.float32)

# least energy per sample, as shares of the energy of a response
END = np.float32(1.6e-11)  # of its loudest band where true responses end, the median of train
LEAKAGE = np.float32(1e-14)  # what is below comes from other bands and times
EMPTY = np.float32(1e-5)  # kept in the first bins, into which late sound may move
N_FIRST = 12
SILENCE = np.float32(1e-20)  # energy per sample of a response without energy

# where a response has ended, its decay goes on along a line
USUAL_SLOPE = np.float32(-np.log(1e6) / 75)  # nepers of energy per block: 60 dB in 0.6 s
SLOWEST = np.float32(-np.log(1e6) / 375)  # 60 dB in 3 s
TRUST = 1e4  # in the usual slope, blocks^5: as much as in a response of 15 blocks


class Decomposition(NamedTuple):
    """What P impulse responses are made of.

    direct    (P,) float32, amplitude of the direct sound over that of a free field; 0 where hidden
    envelope  (P, 2, N_TIMES, 7) float32, natural log of energy per sample of white noise
    """

    direct: np.ndarray
    envelope: np.ndarray


@cache
def _pulses(hrtf: str) -> np.ndarray:
    """(D, 2, taps) float32 response of the ears to a pulse from each measured direction."""
    return ear_tables(hrtf).early.sum(axis=2)


def free_field(pairs: Pairs, hrtf: str) -> tuple[np.ndarray, np.ndarray]:
    """Direct sound as it were without walls: first sample (P,) int and pulses (P, 2, taps)."""
    tables = ear_tables(hrtf)
    x, y, z = (pairs.emitter - pairs.receiver).T
    column = np.round(azimuths(pairs) * (GRID / (2 * np.pi))).astype(int) % GRID
    elevation = np.arctan2(z, np.hypot(x, y))
    row = tables.row[column, np.round((elevation / np.pi + 0.5) * (GRID // 2)).astype(int)]
    spread = 1 / np.maximum(distances(pairs), MIN_LENGTH)
    pulses = _pulses(hrtf)[row] * spread[:, None, None].astype(np.float32)
    return arrivals(pairs) - PRE - tables.lead, pulses


def decompose(pairs: Pairs, rirs: np.ndarray, hrtf: str = "kemar") -> Decomposition:
    """Direct sound and envelope of measured responses (P, 2, n) float32."""
    starts, pulses = free_field(pairs, hrtf)
    rest = np.zeros((len(rirs), 2, (N_BLOCKS + 2) * BLOCK), np.float32)
    direct = np.zeros(len(rirs), np.float32)
    delays = arrivals(pairs)
    for p, (start, pulse, delay) in enumerate(zip(starts, pulses, delays, strict=True)):
        rir = rirs[p].copy()
        pulse = pulse[:, max(0, -start) :]
        heard = rir[:, max(0, start) :][:, : pulse.shape[1]]
        pulse = pulse[:, : heard.shape[1]]
        direct[p] = np.vdot(pulse, heard) / max(np.vdot(pulse, pulse), 1e-20)
        heard -= direct[p] * pulse
        kept = rir[:, delay:][:, : rest.shape[-1] - BLOCK]
        rest[p, :, BLOCK : BLOCK + kept.shape[1]] = kept
    return Decomposition(direct, _log_energy(rest))


def _log_energy(rest: np.ndarray) -> np.ndarray:
    """(P, 2, (N_BLOCKS + 2) * BLOCK) to the (P, 2, N_TIMES, 7) of `Decomposition`."""
    energy = np.square(rest).sum(axis=-1)[..., None, None]
    density = _density(rest)
    density[:, :, :N_FIRST] = np.maximum(density[:, :, :N_FIRST], EMPTY * energy)
    known = density > LEAKAGE * energy
    known &= (EDGES[1:] < _blocks_heard(rest)[..., None])[..., None]
    return _continued(np.log(np.maximum(density, SILENCE)), known)


def _blocks_heard(rest: np.ndarray) -> np.ndarray:
    """(P, 2) whole blocks until a response (P, 2, n) ends for good, the one before it included."""
    silence = np.argmax(rest[..., ::-1] != 0, axis=-1)
    heard = rest.any(axis=-1) * (rest.shape[-1] - silence)
    return heard // BLOCK


def _continued(envelope: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The envelope (..., N_TIMES, 7), on straight lines where it is not `known`.

    The lines follow what is known, the later the more.
    """
    time = CENTRES.astype(np.float32)[:, None]
    weight = known * (np.diff(EDGES)[:, None] * time**2).astype(np.float32)
    total = np.maximum(weight.sum(axis=-2, keepdims=True), 1e-3)
    middle = (weight * time).sum(axis=-2, keepdims=True) / total
    level = (weight * envelope).sum(axis=-2, keepdims=True) / total
    early = weight * (time - middle)
    spread = (early * (time - middle)).sum(axis=-2, keepdims=True)
    rise = (early * (envelope - level)).sum(axis=-2, keepdims=True)
    slope = (rise + TRUST * USUAL_SLOPE) / (spread + TRUST)
    level = np.where(total > 1e-3, level, np.log(SILENCE))
    return np.where(known, envelope, level + np.minimum(slope, SLOWEST) * (time - middle))


def _density(rest: np.ndarray) -> np.ndarray:
    """(P, 2, N_TIMES, 7) energy per sample of white noise."""
    frames = np.lib.stride_tricks.sliding_window_view(rest, 2 * BLOCK, axis=-1)
    spectra = rfft(frames[:, :, : N_BLOCKS * BLOCK : BLOCK] * WINDOW)
    power = spectra.real**2 + spectra.imag**2
    power = np.add.reduceat(power, EDGES[:-1], axis=2) / np.diff(EDGES)[:, None]
    return power @ _band_means()


@cache
def _band_means() -> np.ndarray:
    """(F, 7) float32: from the power of a frame to the variance of the same noise in each band."""
    filters = octave_power_filters(2 * BLOCK) ** 2
    return (filters / filters.sum(axis=1, keepdims=True) / np.sum(WINDOW**2)).T.astype(np.float32)


@cache
def _block_weights() -> np.ndarray:
    """(N_BLOCKS + 1, N_TIMES) float32: from time bins to edges of blocks, on straight lines."""
    blocks = np.arange(N_BLOCKS + 1)
    weights = np.stack([np.interp(blocks, CENTRES, one) for one in np.eye(N_TIMES)], axis=1)
    beyond = np.maximum(blocks - CENTRES[-1], 0) / (CENTRES[-1] - CENTRES[-2])
    weights[:, -1] += beyond
    weights[:, -2] -= beyond
    return weights.astype(np.float32)


def noise_energy(envelope: np.ndarray) -> np.ndarray:
    """(...) energy of noise with an envelope (..., N_TIMES, 7), about."""
    return np.exp(envelope).mean(axis=-1) @ (BLOCK * np.diff(EDGES))


def compose(pairs: Pairs, parts: Decomposition, n_samples: int, hrtf: str = "kemar") -> np.ndarray:
    """(P, 2, n_samples) float32 responses made of direct sound and shaped noise."""
    starts, pulses = free_field(pairs, hrtf)
    pulses = pulses * parts.direct[:, None, None]
    amplitude = LEVEL * np.exp(_block_weights() @ parts.envelope / 2)  # (P, 2, N_BLOCKS + 1, 7)
    ends = _audible_blocks(amplitude)
    out = np.zeros((len(pairs.heading), 2, n_samples), np.float32)
    _render(amplitude.astype(np.float32), ends, arrivals(pairs), flat_noise_bands(), out)
    for rir, start, pulse in zip(out, starts, pulses, strict=True):
        target = rir[:, max(0, start) :][:, : pulse.shape[1] + min(0, start)]
        target += pulse[:, max(0, -start) :][:, : target.shape[1]]
    return out


def _audible_blocks(amplitude: np.ndarray) -> np.ndarray:
    """(P,) blocks after which responses end, as true ones do; amplitude (P, 2, N_BLOCKS + 1, 7)."""
    density = np.square(amplitude).sum(axis=1)
    least = END * BLOCK * density.sum(axis=(1, 2))
    audible = density[:, :N_BLOCKS].max(axis=2) > least[:, None]
    return np.where(audible.any(axis=1), N_BLOCKS - audible[:, ::-1].argmax(axis=1), 0)


@njit(cache=True, nogil=True, fastmath=True)
def _render(amplitude, ends, delays, noise, out):
    """Add noise (2, 7, n) whose amplitude runs linearly through each block, up to `ends`."""
    for p in range(len(delays)):
        for ear in range(2):
            for block in range(ends[p]):
                first = delays[p] + block * BLOCK
                mixed = out[p, ear, first : first + BLOCK]
                for band in range(N_BANDS):
                    gain = amplitude[p, ear, block, band]
                    slope = (amplitude[p, ear, block + 1, band] - gain) / np.float32(BLOCK)
                    grain = noise[ear, band, block * BLOCK :][: len(mixed)]
                    for t in range(len(mixed)):
                        mixed[t] += (gain + slope * np.float32(t)) * grain[t]
