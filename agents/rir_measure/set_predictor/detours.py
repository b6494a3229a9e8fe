"""How far sound has to go around walls, on a map of seen space."""

import numpy as np
from numba import njit

from av_envs.rir_measure.predictors.seen_space import CELL, UNKNOWN, WALL, SeenSpace

COARSE = 2  # cells of seen space along each side of one here
PACE_UNKNOWN, PACE_WALL = 1.5, 10.0  # metres that a metre counts as; a free one counts as one
ROUNDS = 2  # of sweeps in all four directions
STANDOFF = 1.0  # m from the listener at which the direction of arrival is read off
TURNS = 32  # directions compared


def detours(
    space: SeenSpace, emitter: np.ndarray, receiver: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Length (P,) m of the shortest way from emitter to receiver, and where it arrives from.

    emitter, receiver  (P, 3) m
    returns            lengths, and unit vectors (P, 2) from the receiver along its way
    """
    length, arrival = np.zeros(len(emitter)), np.zeros((len(emitter), 2))
    if len(emitter) == 0:
        return length, arrival
    cells, first = _known_part(space.cells)
    paces = _paces(cells)
    middle = space.origin + CELL * (first + (COARSE - 1) / 2)
    start, end = ((ends[:, :2] - middle) / (CELL * COARSE) for ends in (emitter, receiver))
    low = np.floor(np.minimum(start.min(axis=0), end.min(axis=0))).astype(int) - 1
    high = np.ceil(np.maximum(start.max(axis=0), end.max(axis=0))).astype(int) + 2
    before = np.maximum(-low, 0)
    after = np.maximum(high - paces.shape, 0)
    paces = np.pad(paces, np.stack([before, after], axis=1), constant_values=PACE_UNKNOWN)
    _measure(paces.astype(np.float64), start + before, end + before, length, arrival)
    straight = np.linalg.norm(emitter - receiver, axis=1)
    return np.maximum(length * CELL * COARSE, straight), arrival


def _known_part(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest part of a map (X, Y) that holds all that is known, and its first cell."""
    known = np.argwhere(cells != UNKNOWN)
    if len(known) == 0:
        return cells[:0, :0], np.zeros(2, int)
    low, high = known.min(axis=0), known.max(axis=0) + 1
    return cells[low[0] : high[0], low[1] : high[1]], low


def _paces(cells: np.ndarray) -> np.ndarray:
    """What crossing each coarse cell costs per metre: the worst of its cells."""
    odd = -np.array(cells.shape) % COARSE
    cells = np.pad(cells, np.stack([[0, 0], odd], axis=1), constant_values=UNKNOWN)
    blocks = cells.reshape(cells.shape[0] // COARSE, COARSE, cells.shape[1] // COARSE, COARSE)
    wall = (blocks == WALL).any(axis=(1, 3))
    unknown = (blocks == UNKNOWN).all(axis=(1, 3))
    return np.where(wall, PACE_WALL, np.where(unknown, PACE_UNKNOWN, 1.0))


@njit(cache=True, nogil=True)
def _measure(paces, starts, ends, length, arrival):
    """Solve |grad u| = pace from each start by fast sweeping (Zhao, Math. Comp. 2005)."""
    n, m = paces.shape
    for p in range(len(starts)):
        u = np.full((n, m), 1e9)
        i0, j0 = round(starts[p, 0]), round(starts[p, 1])
        for i in range(max(0, i0 - 1), min(n, i0 + 2)):
            for j in range(max(0, j0 - 1), min(m, j0 + 2)):
                u[i, j] = np.hypot(i - starts[p, 0], j - starts[p, 1])
        for sweep in range(4 * ROUNDS):
            east, north = sweep % 2 == 0, sweep % 4 < 2
            for a in range(n):
                i = a if east else n - 1 - a
                for b in range(m):
                    j = b if north else m - 1 - b
                    x = min(u[i - 1, j] if i > 0 else 1e9, u[i + 1, j] if i < n - 1 else 1e9)
                    y = min(u[i, j - 1] if j > 0 else 1e9, u[i, j + 1] if j < m - 1 else 1e9)
                    f = paces[i, j]
                    if abs(x - y) >= f:
                        new = min(x, y) + f
                    else:
                        new = (x + y + np.sqrt(2 * f * f - (x - y) ** 2)) / 2
                    u[i, j] = min(u[i, j], new)
        length[p] = _at(u, ends[p, 0], ends[p, 1])
        best, reach = 1e18, STANDOFF / (CELL * COARSE)
        for turn in range(TURNS):
            x, y = np.cos(2 * np.pi * turn / TURNS), np.sin(2 * np.pi * turn / TURNS)
            there = _at(u, ends[p, 0] + reach * x, ends[p, 1] + reach * y)
            if there < best:
                best, arrival[p, 0], arrival[p, 1] = there, x, y


@njit(cache=True, nogil=True)
def _at(u, x, y):
    """Bilinear; beyond the map, its edge."""
    x, y = min(max(x, 0.0), u.shape[0] - 1.001), min(max(y, 0.0), u.shape[1] - 1.001)
    i, j = int(x), int(y)
    a, b = x - i, y - j
    low = (1 - b) * u[i, j] + b * u[i, j + 1]
    return (1 - a) * low + a * ((1 - b) * u[i + 1, j] + b * u[i + 1, j + 1])
