"""Spheres against the plain geometry of lines and spheres."""

import numpy as np
import pytest

from av_envs.acoustics.response import BIN_EDGES, DIRECTION_GROUP, N_BINS, N_GROUPS, N_SECTORS
from av_envs.acoustics.tracing.detectors import deposit, make_detectors
from av_envs.conventions import N_BANDS, SPEED_OF_SOUND

WEIGHT = np.linspace(0.4, 1.0, N_BANDS).astype(np.float32)
ALONG_AXES = [
    ((0, 0, 1), (1, 0, 0)),
    ((9, 9, 1), (0, -1, 0)),
    ((3.2, 0, 1.1), (0, 1, 0)),
    ((4, 4, 3), (0, 0, -1)),
    ((0, 0, 0.5), (0.6, 0.8, 0)),
    ((2, 7, 1.2), (1e-7, -1, 0)),
    ((-5, 4, 1), (1, 0, 0)),
]


def lattice():
    """Nodes 0.5 m apart in an L-shaped place, at two heights, with spheres of many sizes."""
    x, y = np.meshgrid(np.arange(0, 8, 0.5), np.arange(0, 8, 0.5), indexing="ij")
    inside = (x < 3) | (y < 2)
    x, y = x[inside], y[inside]
    z = np.where(np.arange(len(x)) % 3 == 0, 1.25, 1.0)
    return np.column_stack([x, y, z]), np.random.default_rng(1).uniform(0.1, 0.4, len(x))


def scattered():
    rng = np.random.default_rng(2)
    return rng.uniform([-3, 1, 0.5], [6, 9, 2.5], (150, 3)), rng.uniform(0.05, 0.6, 150)


def segments(n=1500):
    """Origins, unit directions and lengths: some along the axes, most anyhow."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(n, 3))
    directions[: n // 2, 2] *= 0.1  # nearly level, as most that meet anybody's head
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    origins = rng.uniform([-2, -2, 0], [9, 9, 2.0], (n, 3))
    special = np.array(ALONG_AXES, float)
    origins, directions = (
        np.vstack([special[:, 0], origins]),
        np.vstack([special[:, 1], directions]),
    )
    return origins, directions, np.concatenate([np.full(len(special), 8.0), rng.uniform(0, 8, n)])


def chords(origin, direction, length, centres, radii):
    """(N,) metres where the segment enters and leaves each sphere; equal where it misses."""
    nearest = (centres - origin) @ direction
    beside = radii**2 - np.sum((centres - origin) ** 2, axis=1) + nearest**2
    half = np.sqrt(np.maximum(beside, 0))
    return np.clip(nearest - half, 0, length), np.clip(nearest + half, 0, length)


@pytest.mark.parametrize("place", [lattice, scattered])
def test_every_sphere_gets_its_chord(place):
    centres, radii = place()
    detectors = make_detectors(centres, radii)
    n_met = 0
    for origin, direction, length in zip(*segments(), strict=True):
        energy = np.zeros((len(centres), N_BINS, N_BANDS), np.float32)
        arrival = np.zeros((len(centres), N_GROUPS, N_SECTORS), np.float32)
        line = tuple(np.float32([*origin, *direction]))
        deposit(detectors, line, np.float32(length), np.float32(20), WEIGHT, energy, arrival)
        enter, leave = chords(origin, direction, length, centres, radii)
        expected = ((leave - enter) / (4 / 3 * np.pi * radii**3))[detectors.order]
        tolerance = 2e-3 / radii[detectors.order] ** 2.5  # a grazing chord is the root of a zero
        error = np.abs(energy.sum(axis=1) - expected[:, None] * WEIGHT)
        assert (error <= tolerance[:, None]).all(), (origin, direction)
        np.testing.assert_allclose(arrival.sum(axis=(1, 2)), energy.sum(axis=(1, 2)), rtol=1e-5)
        n_met += np.count_nonzero(expected)
    assert n_met > 500


def test_energy_goes_to_its_time_and_to_where_it_came_from():
    detectors = make_detectors(np.array([(2.0, 0, 1.0)]), np.array([0.25]))
    energy = np.zeros((1, N_BINS, N_BANDS), np.float32)
    arrival = np.zeros((1, N_GROUPS, N_SECTORS), np.float32)
    line = tuple(np.float32([0, 0, 1, 1, 0, 0]))
    deposit(detectors, line, np.float32(4), np.float32(40), WEIGHT, energy, arrival)
    (k,) = np.flatnonzero(energy.sum(axis=(0, 2)))
    assert BIN_EDGES[k] <= 42 / SPEED_OF_SOUND < BIN_EDGES[k + 1]
    group, sector = (axis.item() for axis in np.nonzero(arrival[0]))
    assert group == DIRECTION_GROUP[k]
    assert sector == 6  # from the west
    np.testing.assert_allclose(energy[0, k], 0.5 / (4 / 3 * np.pi * 0.25**3) * WEIGHT, rtol=1e-5)


def test_what_comes_after_a_second_is_not_kept():
    detectors = make_detectors(np.array([(2.0, 0, 1.0)]), np.array([0.25]))
    energy = np.zeros((1, N_BINS, N_BANDS), np.float32)
    arrival = np.zeros((1, N_GROUPS, N_SECTORS), np.float32)
    line = tuple(np.float32([0, 0, 1, 1, 0, 0]))
    deposit(detectors, line, np.float32(4), np.float32(342), WEIGHT, energy, arrival)
    assert not energy.any()
    assert not arrival.any()
