"""Binaural impulse responses from compact responses, for any heading, in about 0.1 ms.

Early paths become head-related impulse responses at their delays. The rest is noise
shaped in time and frequency: during the first 100 ms one noise per direction sector,
heard through the head from that sector; later, when sound comes from everywhere, one
diffuse pair of noises whose ear levels follow the arrival directions.
"""

import os
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.fft import irfft, rfft, rfftfreq

from av_envs.acoustics.early_bands import (
    DECIMATION,
    FILTER_TAPS,
    LONG_PRE,
    LONG_TAPS,
    N_LONG,
    PRE,
    REACH,
    add_interpolated,
    early_bands,
    interpolation,
    low_bands,
)
from av_envs.acoustics.heads import load_hrtf
from av_envs.acoustics.hrtf import Hrtf
from av_envs.acoustics.response import (
    COARSE_BIN,
    DELAY_STEPS,
    DIRECTION_GROUP,
    ENERGY_OF_CODE,
    FINE_BIN,
    GAIN_OF_CODE,
    MIN_LENGTH,
    N_AZIMUTHS,
    N_BINS,
    N_FINE,
    N_GROUPS,
    N_SECTORS,
    RESPONSE_SECONDS,
    sector,
)
from av_envs.cache.rows import RowFile
from av_envs.conventions import BANDS_HZ, N_BANDS, N_HEADINGS, SAMPLE_RATE, SPEED_OF_SOUND

RIR_SAMPLES = round(RESPONSE_SECONDS * SAMPLE_RATE)
FINE = round(FINE_BIN * SAMPLE_RATE)  # samples per bin
COARSE = round(COARSE_BIN * SAMPLE_RATE)
SPLIT = N_FINE * FINE  # sample at which diffuse noise takes over
NEAR_TABLE = 8192  # samples of noise per sector
LATE_TABLE = 32768
DIFFUSE_DIRECTIONS = 96
CROSSOVER = 1 / 3  # octaves over which noise passes from one band to the next
SECTOR_TURN = N_AZIMUTHS // N_HEADINGS  # sectors per quarter turn
GRID = 72  # azimuth cells of the direction lookup, half as many elevations
INAUDIBLE = 1e-7  # of a response's energy: bins below it are not rendered
VERSION = 4  # of the tables on disk


class EarTables(NamedTuple):
    """Tables of a head for binaural synthesis.

    near    (14, 2, 7, 8192) noise of unit energy per sample through the head, from each sector
            to each ear in each band
    late    (2, 7, 32768) diffuse noise of unit energy per sample at either ear
    share   (14, 2, 7) energy factor of each ear for sound from each sector
    early   (D, 2, 5, 160) head-related responses in bands from 500 Hz up, see `early_bands`
    low     (D, 8, 2, 2, 93) what is below the first crossovers, at an eighth of the rate
    between (8, 8) from the low rate to the full one
    row     (72, 37) measured direction nearest to each cell of azimuth and elevation
    """

    near: np.ndarray
    late: np.ndarray
    share: np.ndarray
    early: np.ndarray
    low: np.ndarray
    between: np.ndarray
    row: np.ndarray
    lead: int


@cache
def ear_tables(hrtf: str | os.PathLike[str] = "kemar") -> EarTables:
    """Tables of a head, by name or path of a SOFA file."""
    return make_ear_tables(load_hrtf(hrtf))


def make_ear_tables(head: Hrtf) -> EarTables:
    """Tables of a head; computed once per machine, then read from the cache."""
    lengths = _table_lengths(head)
    size = sum(int(np.prod(shape)) for shape in lengths)
    rows = RowFile(f"heads/{head.fingerprint[:16]}-{VERSION}", np.float32, (size,), 1)
    flat = rows.get(0)
    if flat is None:
        made = (*_noise_tables(head), early_bands(head.responses), low_bands(head.responses))
        flat = rows.put(0, np.concatenate([table.ravel() for table in made]))
    tables, start = [], 0
    for shape in lengths:
        stop = start + int(np.prod(shape))
        tables.append(flat[start:stop].reshape(shape))
        start = stop
    rest = {"between": interpolation(), "row": _direction_lookup(head), "lead": head.lead}
    return EarTables(*tables, **rest)


def _table_lengths(head: Hrtf) -> list[tuple[int, ...]]:
    n_directions, _, taps = head.responses.shape
    low_taps = -(-(taps + LONG_TAPS[0] + DECIMATION - 2) // DECIMATION)
    return [
        (N_SECTORS, 2, N_BANDS, NEAR_TABLE),
        (2, N_BANDS, LATE_TABLE),
        (N_SECTORS, 2, N_BANDS),
        (n_directions, 2, N_BANDS - N_LONG, taps + FILTER_TAPS - 1),
        (n_directions, DECIMATION, 2, N_LONG, low_taps),
    ]


def octave_power_filters(n: int) -> np.ndarray:
    """(7, n // 2 + 1) spectra of octave filters whose squares add up to one everywhere.

    They cross over within `CROSSOVER` octaves around the edges of the bands: a band that has
    decayed 20 dB further than its neighbour must not hear it.
    """
    octave = np.log2(np.maximum(rfftfreq(n, 1 / SAMPLE_RATE), 1) / BANDS_HZ[0])
    octave = np.clip(octave, 0, N_BANDS - 1)  # the outermost bands reach to the ends
    distance = np.abs(octave - np.arange(N_BANDS)[:, None])
    return np.cos(np.pi / 2 * np.clip((distance - 0.5) / CROSSOVER + 0.5, 0, 1))


def _noise_tables(head: Hrtf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `near`, `late` and `share` tables of `EarTables`."""
    generator = np.random.default_rng(20)
    members = _sector_members(head)
    near = np.empty((N_SECTORS, 2, N_BANDS, NEAR_TABLE), np.float32)
    share = np.empty((N_SECTORS, 2, N_BANDS))
    bands = octave_power_filters(NEAR_TABLE)
    for s, rows in enumerate(members):
        ears = _noise_through_head(generator, head.responses[rows], NEAR_TABLE)
        near[s] = _noise_in_bands(ears, bands)
        spectra = np.mean(np.abs(rfft(head.responses[rows], NEAR_TABLE)) ** 2, axis=0)  # (2, f)
        share[s] = spectra @ bands.T**2 / np.sum(bands**2, axis=-1)
    spread = np.linspace(0, len(head.directions) - 1, DIFFUSE_DIRECTIONS).astype(int)
    ears = _noise_through_head(generator, head.responses[spread], LATE_TABLE)
    bands = octave_power_filters(LATE_TABLE)
    late = _noise_in_bands(ears, bands)
    width = np.sum(bands**2, axis=-1) / bands.shape[-1]  # a band's part of white noise
    late *= np.sqrt(width[:, None] / np.mean(late**2, axis=-1, keepdims=True))
    return near, late.astype(np.float32), share.astype(np.float32)


def _noise_through_head(generator, responses: np.ndarray, n: int) -> np.ndarray:
    """(2, n // 2 + 1) spectrum of unit noises from all directions, mean power."""
    noise = rfft(generator.standard_normal((len(responses), n), dtype=np.float32))
    return np.einsum("df,def->ef", noise, rfft(responses, n)) / np.sqrt(len(responses))


def _noise_in_bands(ears: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """(2, 7, n) noise of each ear in each band; no two bands are in step.

    ears   (2, F) spectrum of a noise at both ears
    bands  (7, F) filters whose squares add up to one: only independent bands add up in power

    Each band is taken from another stretch of the noise, the same one at both ears.
    """
    noise = irfft(ears[:, None] * bands, 2 * (bands.shape[-1] - 1))
    stretch = noise.shape[-1] // N_BANDS
    return np.stack([np.roll(noise[:, b], b * stretch, axis=-1) for b in range(N_BANDS)], axis=1)


def _sector_members(head: Hrtf) -> list[np.ndarray]:
    """Measured directions of each sector; the nearest ones where a head has none (far below)."""
    sectors = np.array([sector(*direction) for direction in head.directions.astype(float)])
    members = [np.flatnonzero(sectors == s) for s in range(N_SECTORS)]
    for s in range(N_SECTORS):
        if len(members[s]) == 0:
            closeness = head.directions @ _sector_centre(s)
            members[s] = np.flatnonzero(closeness > closeness.max() - 0.01)
    return members


def _sector_centre(s: int) -> np.ndarray:
    if s >= N_AZIMUTHS:
        return np.array([0, 0, 1.0 if s == N_AZIMUTHS else -1.0])
    angle = 2 * np.pi * s / N_AZIMUTHS
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def _direction_lookup(head: Hrtf) -> np.ndarray:
    azimuth, elevation = np.meshgrid(
        2 * np.pi * np.arange(GRID) / GRID,
        np.pi * np.arange(GRID // 2 + 1) / (GRID // 2) - np.pi / 2,
        indexing="ij",
    )
    around = np.cos(elevation)
    cells = np.stack([around * np.cos(azimuth), around * np.sin(azimuth), np.sin(elevation)], -1)
    return (cells @ head.directions.T).argmax(-1).astype(np.int32)


def binaural_response(
    response: np.ndarray, heading: int, salt: int, tables: EarTables, out: np.ndarray | None = None
) -> np.ndarray:
    """Impulse response at the two ears.

    response  () RESPONSE
    heading   quarter turns counter-clockwise from +x
    salt      any integer; picks the noise, so that each pair of places has its own
    returns   (2, 16000) float32, left ear first
    """
    if out is None:
        out = np.empty((2, RIR_SAMPLES), np.float32)
    _synthesise(
        response["energy"],
        response["direction"],
        response["n_paths"],
        response["path_delay"],
        response["path_direction"],
        response["path_gain"],
        heading % N_HEADINGS,
        _hash(int(salt)),
        tables,
        out,
    )
    return out


def _hash(salt: int) -> int:
    """A well-mixed non-negative 62-bit number (the finaliser of splitmix64)."""
    x = (salt * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (x ^ (x >> 31)) >> 2


@njit(cache=True, nogil=True, fastmath=True)
def _synthesise(
    energy, direction, n_paths, delay, path_direction, path_gain, heading, noise, tables, out
):
    out[:] = 0
    sign = np.empty(N_BANDS, np.float32)  # more variety: a pair also picks a sign per band
    for band in range(N_BANDS):
        sign[band] = 1 - 2 * ((noise >> band) & 1)
    shares = np.empty((N_GROUPS, N_SECTORS), np.float32)  # head frame, adding up to one
    for group in range(N_GROUPS):
        total = max(np.float32(direction[group].sum()), np.float32(1))
        for s in range(N_SECTORS):
            turned = (s + SECTOR_TURN * heading) % N_AZIMUTHS if s < N_AZIMUTHS else s
            shares[group, s] = direction[group, turned] / total
    total = np.float32(0)
    for k in range(N_BINS):
        for band in range(N_BANDS):
            total += ENERGY_OF_CODE[energy[k, band]]
    floor = total * np.float32(INAUDIBLE)
    near_offset = (noise >> 8) % (NEAR_TABLE - SPLIT)
    late_offset = (noise >> 24) % (LATE_TABLE - RIR_SAMPLES)
    _add_near(energy, shares, sign, floor, near_offset, tables.near, out)
    _add_late(energy, shares, sign, floor, late_offset, tables.late, tables.share, out)
    _add_early(n_paths, delay, path_direction, path_gain, heading, tables, out)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _add_bands(gain, slope, table, offset, mixed):
    """Add noise to mixed (n,), with gains per band that change by `slope` per sample.

    table  (7, ...) noise per band, read from `offset` on

    Written out band by band so that it runs in vector registers.
    """
    n = len(mixed)
    n0, n1, n2 = table[0][offset:][:n], table[1][offset:][:n], table[2][offset:][:n]
    n3, n4, n5 = table[3][offset:][:n], table[4][offset:][:n], table[5][offset:][:n]
    n6 = table[6][offset:][:n]
    g0, g1, g2, g3, g4, g5, g6 = gain[0], gain[1], gain[2], gain[3], gain[4], gain[5], gain[6]
    s0, s1, s2, s3, s4, s5, s6 = (
        slope[0],
        slope[1],
        slope[2],
        slope[3],
        slope[4],
        slope[5],
        slope[6],
    )
    for t in range(n):
        x = np.float32(t)
        low = (g0 + s0 * x) * n0[t] + (g1 + s1 * x) * n1[t]
        middle = (g2 + s2 * x) * n2[t] + (g3 + s3 * x) * n3[t]
        high = (g4 + s4 * x) * n4[t] + (g5 + s5 * x) * n5[t]
        mixed[t] += low + middle + high + (g6 + s6 * x) * n6[t]


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _add_near(energy, shares, sign, floor, offset, near, out):
    gain, slope = np.empty(N_BANDS, np.float32), np.zeros(N_BANDS, np.float32)
    amplitude = np.empty(N_BANDS, np.float32)
    for k in range(N_FINE):
        start = k * FINE
        loudest = np.float32(0)
        for band in range(N_BANDS):
            e = ENERGY_OF_CODE[energy[k, band]]
            loudest = max(loudest, e)
            amplitude[band] = sign[band] * np.sqrt(e / FINE)
        if loudest <= floor:
            continue
        for s in range(N_SECTORS):
            part = shares[DIRECTION_GROUP[k], s]
            if part < np.float32(1e-3):
                continue
            root = np.sqrt(part)
            for band in range(N_BANDS):
                gain[band] = amplitude[band] * root
            for ear in range(2):
                mixed = out[ear, start : start + FINE]
                _add_bands(gain, slope, near[s, ear], offset + start, mixed)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _add_late(energy, shares, sign, floor, offset, late, share, out):
    """Diffuse noise with gains that run linearly through each bin and keep its energy."""
    n_late = N_BINS - N_FINE
    level = np.zeros((2, n_late + 2, N_BANDS), np.float32)  # amplitude per bin, ends made up
    heard = np.zeros((N_GROUPS, 2, N_BANDS), np.float32)
    for group in range(DIRECTION_GROUP[N_FINE], N_GROUPS):
        for s in range(N_SECTORS):
            for ear in range(2):
                for band in range(N_BANDS):
                    heard[group, ear, band] += shares[group, s] * share[s, ear, band]
    last = 0
    for k in range(n_late):
        group = DIRECTION_GROUP[N_FINE + k]
        for band in range(N_BANDS):
            e = ENERGY_OF_CODE[energy[N_FINE + k, band]]
            if e > floor:
                last = k + 1
            for ear in range(2):
                level[ear, k + 1, band] = np.sqrt(e * heard[group, ear, band] / COARSE)
    for ear in range(2):
        for band in range(N_BANDS):  # the bin before the first one goes on with the decay
            here, after = level[ear, 1, band], max(level[ear, 2, band], np.float32(1e-20))
            level[ear, 0, band] = min(here * here / after, 4 * here)
    level[:, n_late + 1] = level[:, n_late]
    gain, slope = np.empty(N_BANDS, np.float32), np.empty(N_BANDS, np.float32)
    for k in range(last):
        start = SPLIT + k * COARSE
        for ear in range(2):
            for band in range(N_BANDS):
                here = level[ear, k + 1, band]
                a = np.sqrt(level[ear, k, band] * here)  # at the bin's edges
                b = np.sqrt(here * level[ear, k + 2, band])
                ramp = np.sqrt((a * a + a * b + b * b) / np.float32(3))
                if ramp == 0:  # a bin between two empty ones
                    a, b, ramp = here, here, max(here, np.float32(1e-20))
                scale = sign[band] * here / ramp
                gain[band], slope[band] = scale * a, scale * (b - a) / COARSE
            mixed = out[ear, start : start + COARSE]
            _add_bands(gain, slope, late[ear], offset + start, mixed)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def _add_early(n_paths, delay, path_direction, path_gain, heading, tables, out):
    taps, low_taps = tables.early.shape[-1], tables.low.shape[-1]
    ahead = (LONG_PRE + tables.lead) // DECIMATION + REACH  # of the low rate, before the instant 0
    low = np.zeros((2, ahead + 2**16 // DELAY_STEPS // DECIMATION + low_taps + REACH), np.float32)
    end, gain = 0, np.empty(N_BANDS, np.float32)  # `end` of what is in `low`
    for p in range(n_paths):
        x, y, z = path_direction[p, 0], path_direction[p, 1], path_direction[p, 2]
        azimuth = np.arctan2(np.float32(y), np.float32(x)) - heading * np.float32(np.pi / 2)
        flat = np.sqrt(np.float32(x) ** 2 + np.float32(y) ** 2)
        column = int(np.floor(azimuth * (GRID / (2 * np.pi)) + 0.5)) % GRID
        height = int(np.floor((np.arctan2(np.float32(z), flat) / np.pi + 0.5) * (GRID // 2) + 0.5))
        row = tables.row[column, height]
        samples = delay[p] / np.float32(DELAY_STEPS)
        length = max(samples * np.float32(SPEED_OF_SOUND / SAMPLE_RATE), MIN_LENGTH)
        instant = int(np.floor(samples + 0.5)) - tables.lead
        start = instant - PRE
        first, last = max(0, -start), min(taps, RIR_SAMPLES - start)
        for band in range(N_BANDS):
            gain[band] = GAIN_OF_CODE[path_gain[p, band]] / length
        g0, g1, g2, g3 = gain[0], gain[1], gain[2], gain[3]
        g4, g5, g6 = gain[4], gain[5], gain[6]
        begin, late = divmod(instant - LONG_PRE + DECIMATION * ahead, DECIMATION)
        end = max(end, begin + low_taps)
        bands = tables.early[row]
        for ear in range(2):
            b2, b3 = bands[ear, 0][first:last], bands[ear, 1][first:last]
            b4, b5 = bands[ear, 2][first:last], bands[ear, 3][first:last]
            b6 = bands[ear, 4][first:last]
            mixed = out[ear][start + first : start + last]
            for t in range(len(mixed)):
                mixed[t] += g2 * b2[t] + g3 * b3[t] + g4 * b4[t] + g5 * b5[t] + g6 * b6[t]
            below, above = tables.low[row, late, ear, 0], tables.low[row, late, ear, 1]
            mixed = low[ear][begin : begin + low_taps]
            for t in range(low_taps):
                mixed[t] += (g0 - g1) * below[t] + (g1 - g2) * above[t]
    add_interpolated(low, ahead, end, tables.between, out)
