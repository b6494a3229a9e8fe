"""Spherical detectors that collect the energy of passing rays (a track-length estimator)."""

from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.acoustics.response import DIRECTION_GROUP, RESPONSE_SECONDS, sector, time_bin
from av_envs.conventions import N_BANDS, SPEED_OF_SOUND

DETECTOR_RADIUS = 0.4  # m, smaller where a wall is nearer
ROW_WIDTH, COLUMN_WIDTH = 0.5, 0.25  # m of the cells, along x and y
STEEPEST = np.float32(1e-6)  # x of a direction; less counts as this much, so slopes stay finite


class Detectors(NamedTuple):
    """Spheres around nodes, sorted into rows of cells, so that those near a line are neighbours.

    spheres    (N, 5) float32, x, y, z, squared radius in metres, and 1 / volume
    order      (N,) int32, the node of each sphere
    first      (rows, columns + 1) int32, the first sphere of each cell and the end of each row
    row_x      (rows, 2) float32, metres, lowest and highest x of the centres in a row
    corner     (2,) float32, metres, of the first cell
    reach      float32, metres, the largest radius
    low, high  float32, metres, no sphere reaches below or above
    """

    spheres: np.ndarray
    order: np.ndarray
    first: np.ndarray
    row_x: np.ndarray
    corner: np.ndarray
    reach: np.float32
    low: np.float32
    high: np.float32


def make_detectors(centres: np.ndarray, radii: np.ndarray) -> Detectors:
    """Sort spheres into rows of cells.

    centres  (N, 3) metres
    radii    (N,) metres
    """
    centres, radii = np.asarray(centres, np.float32), np.asarray(radii, np.float32)
    size = np.array([ROW_WIDTH, COLUMN_WIDTH], np.float32)
    corner = centres[:, :2].min(axis=0) - size / 2  # nodes of a grid lie in the middle of cells
    cell = ((centres[:, :2] - corner) / size).astype(np.int32)
    rows, columns = cell.max(axis=0) + 1
    number = cell[:, 0] * columns + cell[:, 1]
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(rows * columns + 1))
    first = np.stack([starts[k * columns : (k + 1) * columns + 1] for k in range(rows)])
    row_x = np.zeros((rows, 2))
    for row in np.unique(cell[:, 0]):
        x = centres[cell[:, 0] == row, 0]
        row_x[row] = x.min(), x.max()
    volumes = 4 / 3 * np.pi * radii**3
    return Detectors(
        np.column_stack([centres, radii**2, 1 / volumes])[order].astype(np.float32),
        order.astype(np.int32),
        first.astype(np.int32),
        row_x.astype(np.float32),
        corner.astype(np.float32),
        np.float32(radii.max()),
        np.float32((centres[:, 2] - radii).min()),
        np.float32((centres[:, 2] + radii).max()),
    )


@njit(cache=True, nogil=True, fastmath=True, forceinline=True)
def deposit(detectors, line, length, travelled, weight, energy, arrival):
    """Give each sphere that a ray's segment crosses its chord's share of the ray's energy.

    line       origin and unit direction, six numbers, metres
    length     of the segment, metres; travelled: of the way before it
    weight     (7,) energy of the ray
    energy     (N, 65, 7) and arrival (N, 19, 14), added to; rows in the order of the spheres
    """
    ox, oy, oz, dx, dy, dz = line
    start, end = np.float32(0.0), length
    if abs(dz) > np.float32(1e-6):
        a, b = (detectors.low - oz) / dz, (detectors.high - oz) / dz
        start, end = max(start, min(a, b)), min(end, max(a, b))
    elif oz < detectors.low or oz > detectors.high:
        return
    if end <= start:
        return
    reach, west = detectors.reach, detectors.corner[0]
    ax, bx, ay, by = ox + dx * start, ox + dx * end, oy + dy * start, oy + dy * end
    first_row = max(0, int((min(ax, bx) - reach - west) / np.float32(ROW_WIDTH)))
    last_row = int(np.floor((max(ax, bx) + reach - west) / np.float32(ROW_WIDTH)))
    south, north = min(ay, by) - reach, max(ay, by) + reach
    slope = dy / (dx if abs(dx) > STEEPEST else STEEPEST)
    aside = reach * np.sqrt(np.float32(1) + slope * slope)  # how far north of the line it reaches
    where_from, total = -1, np.float32(0.0)
    for row in range(first_row, min(last_row + 1, len(detectors.row_x))):
        one = oy + slope * (detectors.row_x[row, 0] - ox)
        other = oy + slope * (detectors.row_x[row, 1] - ox)
        low, high = max(min(one, other) - aside, south), min(max(one, other) + aside, north)
        first, stop = _spheres_between(detectors, row, low, high)
        for i in range(first, stop):
            enter, leave = _chord(detectors.spheres, i, line, length)
            middle = travelled + np.float32(0.5) * (enter + leave)
            seconds = middle * np.float32(1 / SPEED_OF_SOUND)
            if leave <= enter or seconds >= RESPONSE_SECONDS:
                continue
            if where_from < 0:
                where_from = sector(-dx, -dy, -dz)
                for band in range(N_BANDS):
                    total += weight[band]
            k = time_bin(seconds)
            per_volume = (leave - enter) * detectors.spheres[i, 4]
            for band in range(N_BANDS):
                energy[i, k, band] += weight[band] * per_volume
            arrival[i, DIRECTION_GROUP[k], where_from] += total * per_volume


@njit(inline="always", fastmath=True)
def _spheres_between(detectors, row, low, high):
    """First and last + 1 of the spheres in a row whose centres may lie in low <= y <= high."""
    south, n_columns = detectors.corner[1], detectors.first.shape[1] - 1
    first = max(0, int((low - south) / np.float32(COLUMN_WIDTH)))
    last = min(n_columns - 1, int(np.floor((high - south) / np.float32(COLUMN_WIDTH))))
    if last < first:
        return 0, 0
    return detectors.first[row, first], detectors.first[row, last + 1]


@njit(inline="always", fastmath=True)
def _chord(spheres, i, line, length):
    """Metres along a segment at which it enters and leaves a sphere; (0, 0) if it misses."""
    ox, oy, oz, dx, dy, dz = line
    lx, ly, lz = spheres[i, 0] - ox, spheres[i, 1] - oy, spheres[i, 2] - oz
    nearest = lx * dx + ly * dy + lz * dz
    beside = spheres[i, 3] - (lx * lx + ly * ly + lz * lz - nearest * nearest)
    if beside <= np.float32(0.0):
        return np.float32(0.0), np.float32(0.0)
    half = np.sqrt(beside)
    return max(nearest - half, np.float32(0.0)), min(nearest + half, length)
