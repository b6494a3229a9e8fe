"""The tracer against radiosity: a linear system over patches of diffuse walls, without any ray.

The steady state of a scene whose surfaces scatter everything is known exactly, but for the size
of the patches. Goral et al., "Modeling the interaction of light between diffuse surfaces",
SIGGRAPH 1984. Who sees whom is decided here by the door alone, not by the tree of the tracer.
"""

import numpy as np
import pytest
from rooms import shoebox

from av_envs.acoustics.tracing.cpu import trace
from av_envs.acoustics.tracing.detectors import make_detectors
from av_envs.benchmarks.engines.figures import band_levels
from av_envs.soundspaces.rlr import LicenceNotice, RLRAcoustics, RLRConfig
from tests.acoustics.tracing.test_coupled_rooms import DOOR, HEIGHT, LENGTH, THICK, two_rooms

PATCH = 0.5  # m
BOX = (6, 4, 3)


def patches_of_a_box(low, size):
    """Centres (P, 3), inward normals (P, 3) and areas (P,)."""
    low, size = np.array(low, float), np.array(size, float)
    centres, normals, areas = [], [], []
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        steps = [size[a] / np.ceil(size[a] / PATCH) for a in others]
        grids = [np.arange(step / 2, size[a], step) for a, step in zip(others, steps, strict=True)]
        one, two = (grid.ravel() for grid in np.meshgrid(*grids))
        for side in (0, 1):
            points = np.zeros((len(one), 3))
            points[:, others[0]], points[:, others[1]] = one, two
            points[:, axis] = side * size[axis]
            centres.append(points + low)
            normals.append(np.tile(np.eye(3)[axis] * (1 - 2 * side), (len(one), 1)))
            areas.append(np.full(len(one), np.prod(steps)))
    return np.concatenate(centres), np.concatenate(normals), np.concatenate(areas)


def everything_is_seen(a, b):
    return np.ones((len(a), len(b)), bool)


def through_the_door(a, b):
    """(A, B) bool: in one room, or on a line that passes both ends of the doorway."""
    a, b = np.asarray(a)[:, None], np.asarray(b)[None]
    middle = LENGTH + THICK / 2
    same = (a[..., 0] < middle) == (b[..., 0] < middle)
    seen = np.ones(same.shape, bool)
    for x in (LENGTH, LENGTH + THICK):
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (x - a[..., 0]) / (b[..., 0] - a[..., 0])
            y, z = (a[..., i] + part * (b[..., i] - a[..., i]) for i in (1, 2))
            seen &= (y > DOOR[0]) & (y < DOOR[1]) & (z < DOOR[2])
    return same | seen


def seen_from(point, centres, normals, sees):
    """(P,) cosine over squared distance of each patch, 0 where it is not seen."""
    to = point - centres
    distance = np.linalg.norm(to, axis=1)
    cosine = np.sum(to * normals, axis=1) / distance
    return np.where(sees(point[None], centres)[0] & (cosine > 0), cosine / distance**2, 0)


def radiosity(centres, normals, areas, absorption, sources, places, sees):
    """(S, N) energy at places, of a source whose direct sound has energy 1 at 1 m."""
    to = centres[None] - centres[:, None]
    squared = np.sum(to**2, axis=2) + np.eye(len(to))
    leaves = np.einsum("ijk,ik->ij", to, normals)
    arrives = -np.einsum("ijk,jk->ij", to, normals)
    there = sees(centres, centres) & (leaves > 0) & (arrives > 0)
    shares = np.where(there, leaves * arrives * areas / (np.pi * squared**2), 0)
    shares /= shares.sum(axis=1, keepdims=True)  # what leaves arrives somewhere
    system = np.eye(len(to)) - (1 - absorption) * shares
    found = np.empty((len(sources), len(places)))
    for row, source in zip(found, sources, strict=True):
        met = seen_from(source, centres, normals, sees)
        met *= 4 * np.pi / (met @ areas)  # all of it lands
        leaving = np.linalg.solve(system, (1 - absorption) * met)
        for n, place in enumerate(places):
            angle = areas * seen_from(place, centres, normals, sees)
            row[n] = leaving @ angle * 4 * np.pi / angle.sum() / np.pi
    distances = np.linalg.norm(np.asarray(sources)[:, None] - np.asarray(places)[None], axis=2)
    return found + np.where(sees(sources, places), distances**-2.0, 0)


def traced(scene, sources, places, sees, n_rays):
    """The same by the tracer, at 1 kHz; it leaves out the direct sound, which is added."""
    spheres = make_detectors(places, np.full(len(places), 0.4))
    energy, _, _ = trace(scene, sources, spheres, n_rays=n_rays)
    distances = np.linalg.norm(sources[:, None] - places[None], axis=2)
    return energy[..., 3].sum(axis=2) + np.where(sees(sources, places), distances**-2.0, 0)


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.mark.parametrize("absorption", [0.1, 0.2, 0.4])
def test_a_room_is_as_loud_as_its_walls_make_it(absorption):
    heads = np.random.default_rng(0).uniform([0.7] * 3, np.array(BOX) - 0.7, (9, 3))
    truth = radiosity(
        *patches_of_a_box((0, 0, 0), BOX), absorption, heads[:3], heads[3:], everything_is_seen
    )
    scene = shoebox(BOX, heads, absorption, 1.0)
    ours = traced(scene, heads[:3], heads[3:], everything_is_seen, 8192)
    assert decibels(ours.mean() / truth.mean()) == pytest.approx(0, abs=0.15)
    np.testing.assert_allclose(decibels(ours / truth), 0, atol=0.6)


@pytest.mark.parametrize("absorption", [0.1, 0.2])
def test_the_next_room_gets_what_comes_through_the_door(absorption):
    scene, heads = two_rooms(absorption, door=DOOR)
    size = (LENGTH, LENGTH, HEIGHT)
    rooms = [patches_of_a_box((x, 0, 0), size) for x in (0, LENGTH + THICK)]
    centres, normals, areas = (np.concatenate(part) for part in zip(*rooms, strict=True))
    in_doorway = (
        np.isin(centres[:, 0], (LENGTH, LENGTH + THICK))
        & (centres[:, 1] > DOOR[0]) & (centres[:, 1] < DOOR[1]) & (centres[:, 2] < DOOR[2])
    )  # fmt: skip
    wall = ~in_doorway
    near, far = heads[4:16], heads[20:32]
    places = np.vstack([near, far])
    truth = radiosity(
        centres[wall], normals[wall], areas[wall], absorption, heads[:3], places, through_the_door
    )
    ours = traced(scene, heads[:3], places, through_the_door, 32768)
    for part in (slice(0, 12), slice(12, None)):
        assert decibels(ours[:, part].mean() / truth[:, part].mean()) == pytest.approx(0, abs=0.4)


def test_radiosity_itself_knows_a_box_that_is_all_diffuse_field():
    """Little absorption: the energy is 16 pi / A everywhere, Sabine's absorption area A."""
    heads = np.random.default_rng(1).uniform([0.7] * 3, np.array(BOX) - 0.7, (6, 3))
    energy = radiosity(
        *patches_of_a_box((0, 0, 0), BOX), 0.01, heads[:2], heads[2:], everything_is_seen
    )
    area = 0.01 * 2 * (6 * 4 + 4 * 3 + 6 * 3)
    assert energy.mean() == pytest.approx(16 * np.pi / area, rel=0.02)


@pytest.mark.parametrize("absorption", [0.1, 0.2])
def test_the_engine_of_soundspaces_2_is_louder_than_that(absorption):
    """By 1 to 2.5 dB in mean, from 500 Hz to 2 kHz; see docs/engines.md."""
    pytest.importorskip("rlr_audio_propagation", reason="extra [rlr] is not installed: CC BY-NC")
    heads = np.random.default_rng(0).uniform([0.7] * 3, np.array(BOX) - 0.7, (5, 3))
    truth = radiosity(
        *patches_of_a_box((0, 0, 0), BOX), absorption, heads[:2], heads[2:], everything_is_seen
    )
    with pytest.warns(LicenceNotice):
        theirs = RLRAcoustics(
            shoebox(BOX, heads, absorption, 1.0), RLRConfig(n_rays=500, ears="mono")
        )
    energies = [
        np.mean(10 ** (band_levels(theirs.rir(s, r, 0)[0])[2:5] / 10))
        for s in (0, 1)
        for r in (2, 3, 4)
    ]
    assert 1.0 < decibels(np.mean(energies) / truth.mean()) < 2.5
