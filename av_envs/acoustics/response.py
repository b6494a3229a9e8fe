"""Compact response: 914 bytes that describe the sound of one source at one place.

Energy per time bin and octave band, the directions it arrives from, and up to 16
early paths with exact delays. Energies are relative to a source whose direct sound
has energy 1 at 1 m in every band. Directions are in the world frame, so one
response serves every heading.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.acoustics.air import AIR_PER_METRE
from av_envs.conventions import N_BANDS, SAMPLE_RATE, SPEED_OF_SOUND

RESPONSE_SECONDS = 1.0
N_FINE, FINE_BIN, COARSE_BIN = 20, 0.005, 0.020  # 20 bins of 5 ms, then bins of 20 ms
N_COARSE = round((RESPONSE_SECONDS - N_FINE * FINE_BIN) / COARSE_BIN)
N_BINS = N_FINE + N_COARSE
BIN_EDGES = np.concatenate(  # (66,) seconds
    [FINE_BIN * np.arange(N_FINE), N_FINE * FINE_BIN + COARSE_BIN * np.arange(N_COARSE + 1)]
)
BIN_CENTRES = (BIN_EDGES[1:] + BIN_EDGES[:-1]) / 2

N_AZIMUTHS = 12  # sectors of 30 degrees, the first centred on +x
N_SECTORS = N_AZIMUTHS + 2  # and the caps above and below 60 degrees
UP, DOWN = N_AZIMUTHS, N_AZIMUTHS + 1
# directions change slowly: pairs of fine bins and fives of coarse ones share a distribution
DIRECTION_GROUP = np.concatenate([np.arange(N_FINE) // 2, 10 + np.arange(N_COARSE) // 5])
N_GROUPS = int(DIRECTION_GROUP[-1]) + 1

MAX_PATHS = 16
DELAY_STEPS = 16  # per sample
FARTHEST = 65535 / DELAY_STEPS / SAMPLE_RATE * SPEED_OF_SOUND  # m, of a path with its own delay
ENERGY_STEP_DB, ENERGY_FLOOR_DB = 0.5, -100.0  # code 0 is no energy at all
GAIN_STEP_DB, GAIN_FLOOR_DB = 0.25, -63.0
MIN_LENGTH = np.float32(0.3)  # m: nearer than that, a source is no point and 1/r means nothing

RESPONSE = np.dtype(
    [
        ("energy", "u1", (N_BINS, N_BANDS)),
        ("direction", "u1", (N_GROUPS, N_SECTORS)),
        ("n_paths", "u1"),
        ("path_delay", "<u2", (MAX_PATHS,)),
        ("path_direction", "i1", (MAX_PATHS, 3)),
        ("path_gain", "u1", (MAX_PATHS, N_BANDS)),
    ]
)

_codes = np.arange(256)
ENERGY_OF_CODE = (10 ** ((ENERGY_STEP_DB * _codes + ENERGY_FLOOR_DB) / 10)).astype(np.float32)
ENERGY_OF_CODE[0] = 0
GAIN_OF_CODE = (10 ** ((GAIN_STEP_DB * _codes + GAIN_FLOOR_DB) / 20)).astype(np.float32)


class Paths(NamedTuple):
    """Early paths from one source to N places, P slots each.

    count      (N,) int32, slots used
    length     (N, P) float32, metres
    direction  (N, P, 3) float32, unit vectors from the listener towards the arriving sound
    gain       (N, P, 7) float32, amplitude without the 1/length of spreading and without air
    """

    count: np.ndarray
    length: np.ndarray
    direction: np.ndarray
    gain: np.ndarray

    @classmethod
    def empty(cls, n_places: int, slots: int) -> "Paths":
        return cls(
            np.zeros(n_places, np.int32),
            np.full((n_places, slots), MIN_LENGTH, np.float32),
            np.zeros((n_places, slots, 3), np.float32),
            np.zeros((n_places, slots, N_BANDS), np.float32),
        )

    def energy(self) -> np.ndarray:
        """(N, P) energy, mean over bands; zero in unused slots."""
        used = np.arange(self.length.shape[1]) < self.count[:, None]
        spread = np.maximum(self.length, MIN_LENGTH) ** 2
        return np.where(used, np.mean(self.gain**2, axis=-1) / spread, 0)


@njit(cache=True, nogil=True, inline="always")
def time_bin(seconds):
    """Bin of an arrival time below RESPONSE_SECONDS."""
    if seconds < N_FINE * FINE_BIN:
        return int(seconds / FINE_BIN)
    return N_FINE + int((seconds - N_FINE * FINE_BIN) / COARSE_BIN)


@njit(cache=True, nogil=True, inline="always")
def sector(x, y, z):
    """Sector of a unit direction towards the sound."""
    if z > 0.8660254:
        return UP
    if z < -0.8660254:
        return DOWN
    return int(np.floor(np.arctan2(y, x) * (N_AZIMUTHS / (2 * np.pi)) + 0.5)) % N_AZIMUTHS


def pack(energy: np.ndarray, arrival: np.ndarray, paths: Paths) -> np.ndarray:
    """Quantise the results of a tracer into compact responses.

    energy   (N, 65, 7) float32, energy per time bin and band, before air absorption
    arrival  (N, 19, 14) float32, energy per direction group and sector, any scale per group
    paths    early paths, strongest anywhere; those beyond 16 or 87 m move into `energy`
    returns  (N,) RESPONSE
    """
    energy = energy * np.exp(-AIR_PER_METRE * SPEED_OF_SOUND * BIN_CENTRES[:, None])
    energy = smooth_decay(energy.astype(np.float32))
    arrival = arrival.astype(np.float32)
    air = np.exp(-AIR_PER_METRE / 2 * paths.length[..., None])  # of amplitude
    paths = paths._replace(gain=(paths.gain * air).astype(np.float32))
    kept = _keep_strongest(paths, energy, arrival)
    packed = np.zeros(len(energy), RESPONSE)
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(energy)
        gain = 20 * np.log10(kept.gain)
    packed["energy"] = _code(level, ENERGY_STEP_DB, ENERGY_FLOOR_DB)
    packed["direction"] = _direction_codes(arrival)
    packed["n_paths"] = kept.count
    samples = kept.length * (SAMPLE_RATE / SPEED_OF_SOUND)
    packed["path_delay"] = np.round(samples * DELAY_STEPS)
    packed["path_direction"] = np.round(kept.direction * 127)
    packed["path_gain"] = _code(gain, GAIN_STEP_DB, GAIN_FLOOR_DB)
    return packed


def _code(level: np.ndarray, step: float, floor: float) -> np.ndarray:
    return np.clip(np.round((level - floor) / step), 0, 255).astype(np.uint8)


def _direction_codes(arrival: np.ndarray) -> np.ndarray:
    """(N, 19, 14) shares of each sector, the largest of a group at 255.

    Smoothing takes energy into groups in which nothing arrived: they get the directions of
    the nearest group that has any, the earlier of two. Where no group has any, sound comes
    from everywhere.
    """
    largest = np.maximum(arrival.max(axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    codes = np.round(255 * arrival / largest).astype(np.uint8)
    filled = codes.any(axis=-1)
    codes[~filled.any(axis=-1)] = 255
    group = np.arange(N_GROUPS)
    away = np.abs(group[:, None] - group) + np.where(filled, 0, N_GROUPS)[:, None]  # (N, 19, 19)
    return np.take_along_axis(codes, away.argmin(axis=-1)[..., None], axis=1)


def _keep_strongest(paths: Paths, energy: np.ndarray, arrival: np.ndarray) -> Paths:
    """The 16 strongest paths, in order of strength; the others are added to the histograms."""
    strength = np.where(paths.length < FARTHEST, paths.energy(), 0)
    order = np.argsort(-strength, axis=1, kind="stable")
    kept = Paths.empty(len(paths.count), MAX_PATHS)
    kept.count[:] = np.minimum(np.count_nonzero(strength, axis=1), MAX_PATHS)
    first = order[:, :MAX_PATHS]
    slots = first.shape[1]
    kept.length[:, :slots] = np.take_along_axis(paths.length, first, 1)
    kept.direction[:, :slots] = np.take_along_axis(paths.direction, first[..., None], 1)
    kept.gain[:, :slots] = np.take_along_axis(paths.gain, first[..., None], 1)
    _add_dropped(paths, order, kept.count, energy, arrival)
    return kept


@njit(cache=True, nogil=True)
def _add_dropped(paths, order, n_kept, energy, arrival):
    for place in range(order.shape[0]):
        for slot in order[place, n_kept[place] :]:
            if slot >= paths.count[place]:
                continue
            length = max(paths.length[place, slot], MIN_LENGTH)
            if length >= RESPONSE_SECONDS * SPEED_OF_SOUND:
                continue
            k = time_bin(length / SPEED_OF_SOUND)
            x, y, z = paths.direction[place, slot]
            total = 0.0
            for band in range(N_BANDS):
                e = paths.gain[place, slot, band] ** 2 / length**2
                energy[place, k, band] += e
                total += e
            arrival[place, DIRECTION_GROUP[k], sector(x, y, z)] += total


@njit(cache=True, nogil=True)
def smooth_decay(energy):
    """Average the noise of a traced decay over neighbouring bins, (N, 65, 7) to the same.

    The trend of each decay (the exponential with the same centre of gravity) is
    divided out first, so that averaging neither bends nor shifts it; the total energy
    of every decay is kept. Three bins up to 100 ms after the first arrival, five
    later; the first 20 ms stay as traced, since reflections are few there.
    """
    smoothed = energy.copy()
    density, trend = np.empty(N_BINS), np.empty(N_BINS)
    for place in range(energy.shape[0]):
        for band in range(N_BANDS):
            first = -1
            for k in range(N_BINS):
                density[k] = energy[place, k, band] / (BIN_EDGES[k + 1] - BIN_EDGES[k])
                if first < 0 and density[k] > 0:
                    first = k
            if first < 0:
                continue
            slope = _decay_rate(density, first)
            for k in range(first, N_BINS):
                trend[k] = np.exp(slope * (BIN_CENTRES[first] - BIN_CENTRES[k]))
                density[k] /= trend[k]
            before, after = 0.0, 0.0
            for k in range(first, N_BINS):
                before += energy[place, k, band]
                mean = trend[k] * _mean_around(density, k, first)
                smoothed[place, k, band] = mean * (BIN_EDGES[k + 1] - BIN_EDGES[k])
                after += smoothed[place, k, band]
            for k in range(first, N_BINS):
                smoothed[place, k, band] *= before / after
    return smoothed


@njit(cache=True, nogil=True, forceinline=True)
def _mean_around(level, k, first):
    """Mean of the bins around k, of a decay that starts in bin `first`."""
    if k < first + 4:
        return level[k]
    reach = 1 if k < first + N_FINE else 2
    reach = min(reach, k - first, N_BINS - 1 - k)
    total = 0.0
    for j in range(k - reach, k + reach + 1):
        total += level[j]
    return total / (2 * reach + 1)


@njit(cache=True, nogil=True, forceinline=True)
def _decay_rate(density, first):
    """Nepers per second of energy of the exponential with the same centre of gravity."""
    total, moment = 0.0, 0.0
    for k in range(first, N_BINS):
        weight = density[k] * (BIN_EDGES[k + 1] - BIN_EDGES[k])
        total += weight
        moment += weight * (BIN_CENTRES[k] - BIN_EDGES[first])
    return total / max(moment, 1e-12)
