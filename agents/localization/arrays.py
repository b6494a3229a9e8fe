"""What else can hear a take than two ears: first-order ambisonics and a tetrahedral array.

Either is two pairs of channels, and each pair is a "head" for the synthesis of binaural responses
from compact ones: any directivity with its phase will do there. Both pairs hear the same noise
wherever a response is noise, so their channels are as coherent as they should be.
"""

from functools import cache

import numpy as np
from scipy.special import eval_legendre, spherical_jn, spherical_yn

from av_envs.acoustics.binaural import EarTables, ear_tables, make_ear_tables
from av_envs.acoustics.hrtf import Hrtf
from av_envs.agents.localization.directions import unit_vectors
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.options import check_choice

N_DIRECTIONS = 1200  # of the tables: 6 degrees apart
RADIUS = 0.042  # m, of the rigid sphere of the tetrahedral array
MICROPHONES = np.radians([(45, 35), (-45, -35), (135, -35), (-135, 35)])  # azimuth, elevation
TAPS, LEAD = 64, 24  # samples of a response at the array, and those before the sphere's centre
ORDER = 30  # terms of the series for the sphere, whose ka is 6.2 at 8 kHz
HEARD_BY = ("binaural", "foa", "mic")


@cache
def tables_of(heard_by: str) -> tuple[EarTables, ...]:
    """Tables of the pairs of channels of one of HEARD_BY, for `binaural_response`."""
    check_choice("heard_by", heard_by, HEARD_BY)
    if heard_by == "binaural":
        return (ear_tables(),)
    around = directions_around()
    responses = foa_responses(around) if heard_by == "foa" else tetrahedral_responses(around)
    lead = 0 if heard_by == "foa" else LEAD
    pairs = [Hrtf(f"{heard_by}-{k}", around, responses[:, 2 * k : 2 * k + 2], lead) for k in (0, 1)]
    return tuple(make_ear_tables(pair) for pair in pairs)


def directions_around() -> np.ndarray:
    """(D, 3) float32 unit vectors spread evenly, from straight down to straight up.

    A Fibonacci lattice, whose neighbours in order are far apart in azimuth.
    """
    k = np.arange(N_DIRECTIONS)
    elevation = np.arcsin((2 * k + 1) / N_DIRECTIONS - 1)
    return unit_vectors(k * np.pi * (3 - np.sqrt(5)), elevation).astype(np.float32)


def foa_gains(directions: np.ndarray) -> np.ndarray:
    """(..., 4) gains of W, Y, Z, X for plane waves from unit vectors (..., 3).

    Ambisonics of first order, ACN order of channels and SN3D scale (AmbiX: Nachbar et al.,
    "ambiX - a suggested ambisonics format", 2011).
    """
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.stack([np.ones_like(x), y, z, x], axis=-1)


def foa_responses(directions: np.ndarray) -> np.ndarray:
    """(D, 4, 1) float32: an instant in time."""
    return foa_gains(directions)[..., None].astype(np.float32)


def tetrahedral_responses(directions: np.ndarray) -> np.ndarray:
    """(D, 4, TAPS) float32 at four microphones on a rigid sphere, `LEAD` samples late.

    Scattering of a plane wave by a rigid sphere: Rafaely, "Fundamentals of Spherical Array
    Processing", 2015, section 2.6. The array of DCASE 2020 Task 3.
    """
    cosines = directions.astype(float) @ unit_vectors(*MICROPHONES.T).T  # (D, 4)
    hertz = np.fft.rfftfreq(TAPS, 1 / SAMPLE_RATE)
    spectra = np.ones((*cosines.shape, len(hertz)), complex)
    size = 2 * np.pi * hertz[1:] * RADIUS / SPEED_OF_SOUND  # k a
    order = np.arange(ORDER)[:, None]
    slope = spherical_jn(order, size, True) - 1j * spherical_yn(order, size, True)  # of h_n^(2)
    modes = 1j ** (order - 1) * (2 * order + 1) / (size**2 * slope)
    legendre = eval_legendre(order[:, 0], cosines[..., None])  # (D, 4, ORDER)
    spectra[..., 1:] = legendre @ modes
    spectra *= np.exp(-2j * np.pi * hertz * LEAD / SAMPLE_RATE)
    return np.fft.irfft(spectra, TAPS).astype(np.float32)
