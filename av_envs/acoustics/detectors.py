"""Spheres that collect the energy of passing rays (a track-length estimator)."""

from typing import NamedTuple

import numpy as np
from numba import njit

from av_envs.acoustics.response import RESPONSE_SECONDS, sector, time_bin
from av_envs.conventions import N_BANDS, SPEED_OF_SOUND

DETECTOR_RADIUS = 0.4  # m, smaller where a wall is nearer


class Detectors(NamedTuple):
    """Spheres around nodes, and a horizontal grid of cells that says which are near."""

    centres: np.ndarray  # (N, 3) m
    radii: np.ndarray  # (N,) m
    corner: np.ndarray  # (2,) m, of the cell grid
    cell: float  # m
    shape: np.ndarray  # (2,) int
    first: np.ndarray  # (cells + 1,) start of each cell's list
    nodes: np.ndarray  # node indices, cell by cell
    low: float  # m, no sphere reaches below
    high: float  # m, or above


def make_detectors(centres: np.ndarray, radii: np.ndarray) -> Detectors:
    """Sort spheres into cells of a horizontal grid.

    centres  (N, 3) metres
    radii    (N,) metres
    """
    cell = max(2 * float(radii.max()), 0.5)
    corner = (centres[:, :2] - radii[:, None]).min(axis=0)
    first_cell = ((centres[:, :2] - radii[:, None] - corner) / cell).astype(int)
    last_cell = ((centres[:, :2] + radii[:, None] - corner) / cell).astype(int)
    shape = last_cell.max(axis=0) + 1
    members = [[] for _ in range(shape[0] * shape[1])]
    for node, ((x0, y0), (x1, y1)) in enumerate(zip(first_cell, last_cell, strict=True)):
        for x in range(x0, x1 + 1):
            for y in range(y0, y1 + 1):
                members[x * shape[1] + y].append(node)
    first = np.cumsum([0] + [len(m) for m in members]).astype(np.int32)
    return Detectors(
        centres.astype(np.float32),
        radii.astype(np.float32),
        corner.astype(np.float32),
        np.float32(cell),
        shape.astype(np.int32),
        first,
        np.array([node for m in members for node in m], np.int32),
        np.float32((centres[:, 2] - radii).min()),
        np.float32((centres[:, 2] + radii).max()),
    )


@njit(cache=True, nogil=True, fastmath=True)
def deposit(detectors, line, length, travelled, weight, visited, segment, energy, arrival):
    """Give each sphere that a ray's segment crosses its chord's share of the ray's energy.

    line       origin and unit direction, six numbers, metres
    length     of the segment, metres; travelled: of the way before it
    weight     (7,) energy of the ray
    visited    (N,) the last segment that met each sphere; segment: the number of this one
    energy     (N, 65, 7) and arrival (N, 65, 14), added to
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
    cell, corner = detectors.cell, detectors.corner
    px, py = (ox + dx * start - corner[0]) / cell, (oy + dy * start - corner[1]) / cell
    qx, qy = (ox + dx * end - corner[0]) / cell, (oy + dy * end - corner[1]) / cell
    cx, cy = int(np.floor(px)), int(np.floor(py))
    n_cells = abs(int(np.floor(qx)) - cx) + abs(int(np.floor(qy)) - cy) + 1
    step_x, step_y = (1 if qx > px else -1), (1 if qy > py else -1)
    rate_x = np.float32(1.0) / max(abs(qx - px), np.float32(1e-9))
    rate_y = np.float32(1.0) / max(abs(qy - py), np.float32(1e-9))
    next_x = (cx + 1 - px if step_x > 0 else px - cx) * rate_x
    next_y = (cy + 1 - py if step_y > 0 else py - cy) * rate_y
    for _ in range(n_cells):  # walk the cells under the segment
        if 0 <= cx < detectors.shape[0] and 0 <= cy < detectors.shape[1]:
            index = cx * detectors.shape[1] + cy
            for i in range(detectors.first[index], detectors.first[index + 1]):
                node = detectors.nodes[i]
                if visited[node] != segment:
                    visited[node] = segment
                    _deposit_in_sphere(
                        detectors, node, line, length, travelled, weight, energy, arrival
                    )
        if next_x < next_y:
            next_x += rate_x
            cx += step_x
        else:
            next_y += rate_y
            cy += step_y


@njit(cache=True, nogil=True, fastmath=True)
def _deposit_in_sphere(detectors, node, line, length, travelled, weight, energy, arrival):
    ox, oy, oz, dx, dy, dz = line
    centre, radius = detectors.centres[node], detectors.radii[node]
    lx, ly, lz = centre[0] - ox, centre[1] - oy, centre[2] - oz
    nearest = lx * dx + ly * dy + lz * dz
    beside = radius * radius - (lx * lx + ly * ly + lz * lz - nearest * nearest)
    if beside <= 0:
        return
    half = np.sqrt(beside)
    enter, leave = max(nearest - half, np.float32(0.0)), min(nearest + half, length)
    seconds = (travelled + np.float32(0.5) * (enter + leave)) / np.float32(SPEED_OF_SOUND)
    if leave <= enter or seconds >= RESPONSE_SECONDS:
        return
    k = time_bin(seconds)
    per_volume = (leave - enter) / (np.float32(4 / 3 * np.pi) * radius * radius * radius)
    total = np.float32(0.0)
    for band in range(N_BANDS):
        deposit = weight[band] * per_volume
        energy[node, k, band] += deposit
        total += deposit
    arrival[node, k, sector(-dx, -dy, -dz)] += total
