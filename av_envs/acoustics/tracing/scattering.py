"""Random sampling of rays: initial directions, reflection, scattering and transmission."""

import numpy as np
from numba import njit

from av_envs.conventions import N_BANDS

GOLDEN = 0.6180339887498949
SPECULAR, DIFFUSE, TRANSMITTED = range(3)
NO_RAY = 2**32  # a number that no ray has


@njit(cache=True, nogil=True, inline="always")
def next_state(state):
    """One step of Marsaglia's 64-bit xorshift generator."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@njit(cache=True, nogil=True, inline="always")
def uniform(state):
    return np.float32(state >> np.uint64(40)) * np.float32(1 / 16777216)


@njit(cache=True, nogil=True, forceinline=True)
def seeded(seed, ray):
    """A well-mixed, non-zero state per ray (the finaliser of splitmix64)."""
    x = seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(ray) + np.uint64(1)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) | np.uint64(1)


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def first_direction(ray, n_rays, jitter, turn=0.0):
    """Point `ray` of a spherical Fibonacci lattice, jittered in height, turned by `turn` turns."""
    z = np.float32(1.0 - 2.0 * (ray + jitter) / n_rays)
    angle = 2.0 * np.pi * ((ray * GOLDEN + turn) % 1.0)
    around = np.sqrt(max(np.float32(0.0), np.float32(1.0) - z * z))
    return np.float32(around * np.cos(angle)), np.float32(around * np.sin(angle)), z


@njit(cache=True, nogil=True, forceinline=True)
def turn_of(seed):
    """Rotation of a source's lattice around the vertical, in turns: 0 to 1.

    Were it not turned, all sources would miss the same directions. Around the vertical only:
    floors and ceilings keep the height of a direction, and a lattice is evener in height
    than anything drawn.
    """
    return uniform(next_state(seeded(seed, NO_RAY)))


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def lambert(nx, ny, nz, u1, u2):
    """Direction around a normal, cosine-weighted."""
    # any vector across the normal: take the coordinate axis least aligned with it
    if abs(nx) > np.float32(0.9):
        tx, ty, tz = -nz, np.float32(0.0), nx  # normal x (0, 1, 0)
    else:
        tx, ty, tz = np.float32(0.0), nz, -ny  # normal x (1, 0, 0)
    scale = np.float32(1.0) / np.sqrt(tx * tx + ty * ty + tz * tz)
    tx, ty, tz = tx * scale, ty * scale, tz * scale
    bx, by, bz = ny * tz - nz * ty, nz * tx - nx * tz, nx * ty - ny * tx
    angle = np.float32(2.0 * np.pi) * u2
    along = np.sqrt(u1)
    a, b = along * np.cos(angle), along * np.sin(angle)
    up = np.sqrt(max(np.float32(0.0), np.float32(1.0) - u1))
    return a * tx + b * bx + up * nx, a * ty + b * by + up * ny, a * tz + b * bz + up * nz


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def interact(surfaces, material, weight, state):
    """Decide what a ray does at a surface and change its energies (7,) accordingly.

    returns  SPECULAR, DIFFUSE or TRANSMITTED, the strongest energy left, and the new state

    A ray scatters with the share of its reflected energy, over all bands, that scatters.
    So neither outcome can change the ray's total energy, however long it lives; with a
    fixed probability, chains of one outcome would grow without bound in some bands.
    """
    state = next_state(state)
    if uniform(state) < surfaces.transmitted_share[material]:
        strongest = np.float32(0.0)
        for band in range(N_BANDS):
            weight[band] *= surfaces.transmitted[material, band]
            strongest = max(strongest, weight[band])
        return TRANSMITTED, strongest, state
    total, scattered = np.float32(1e-30), np.float32(0.0)
    for band in range(N_BANDS):
        weight[band] *= surfaces.reflected[material, band]
        total += weight[band]
        scattered += weight[band] * surfaces.scattering[material, band]
    share = scattered / total
    state = next_state(state)
    is_diffuse = uniform(state) < share
    # s / share or (1 - s) / (1 - share), without a branch or a division per band
    slope = 1 / share if is_diffuse else 1 / (share - 1)
    offset = np.float32(0.0) if is_diffuse else -slope
    strongest = np.float32(0.0)
    for band in range(N_BANDS):
        weight[band] *= offset + slope * surfaces.scattering[material, band]
        strongest = max(strongest, weight[band])
    return (DIFFUSE if is_diffuse else SPECULAR), strongest, state
