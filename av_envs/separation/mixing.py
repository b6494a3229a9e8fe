"""Adding up what several sources bring to two ears."""

import numpy as np
from numba import njit

from av_envs.acoustics.convolution import add_source, spectral_energy, write_source


@njit(cache=True, nogil=True, fastmath=True)
def mix(
    dry: np.ndarray, responses: np.ndarray, hiss: float, ears: np.ndarray
) -> tuple[int, float, float]:
    """Write what all sources bring to `ears`; return the better one, and target and rest there.

    dry        (S, F) complex64, the target first
    responses  (S, 2, F) complex64
    hiss       energy of the noise at each ear, part of the rest
    ears       (2, F) complex64, overwritten
    returns    0 or 1, and the energies of the target and of the rest at that ear

    The better ear has the larger ratio of target to rest, judged by all that the sound of
    the window brings to it, to the end of its reverberation; without other sources, the ear
    with the louder target. Of two equal ones it is the left.
    """
    n_sources, energies = len(dry), np.empty((2, 2))
    for ear in range(2):
        heard, rest = ears[ear], np.float32(0)
        if n_sources == 1:
            target = write_source(dry[0], responses[0, ear], heard)
        else:
            rest = write_source(dry[1], responses[1, ear], heard)
            for s in range(2, n_sources):
                add_source(dry[s], responses[s, ear], heard)
            if n_sources > 2:
                rest = spectral_energy(heard)
            target = add_source(dry[0], responses[0, ear], heard)
        energies[ear, 0], energies[ear, 1] = target, rest + hiss
    ratio = energies[:, 0] / np.maximum(energies[:, 1], 1e-30)
    better = 1 if ratio[1] > ratio[0] else 0
    return better, energies[better, 0], energies[better, 1]
