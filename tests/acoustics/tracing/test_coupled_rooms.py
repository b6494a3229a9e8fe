"""Two rooms with a wall between them, against diffuse-field theory, and a whole house."""

import numpy as np
import pytest
from rooms import box, flat_material, scene_of

from av_envs.acoustics.bank import SourceTracer, TraceConfig
from av_envs.acoustics.response import DELAY_STEPS, ENERGY_OF_CODE, GAIN_OF_CODE
from av_envs.acoustics.tracing.cpu import trace
from av_envs.acoustics.tracing.detectors import make_detectors
from av_envs.conventions import SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import House

LENGTH, HEIGHT, THICK = 5.0, 3.0, 0.1  # two rooms of 5 x 5 x 3 m
SURFACE = 2 * (25 + 15 + 15)
WALL = 15.0
DOOR = (2.1, 2.9, 2.0)  # y from, y to, height
DOOR_AREA = 1.6


def room_shell(x0, open_side):
    """Triangles of a room that faces inwards, without the side at x = open_side."""
    shell = box((x0, 0, 0), (x0 + LENGTH, LENGTH, HEIGHT))
    return shell[~np.all(shell[:, :, 0] == open_side, axis=1)]


def two_rooms(absorption, door=None, transmission=0.0):
    """A scene and its 16 + 16 heads, the same places in both rooms."""
    left, right = room_shell(0, LENGTH), room_shell(LENGTH + THICK, LENGTH + THICK)
    near, far = LENGTH, LENGTH + THICK
    if door is None:
        walls = [((near, 0, 0), (far, LENGTH, HEIGHT))]
        sill = np.zeros((0, 3, 3))
    else:
        y0, y1, top = door
        walls = [((near, 0, 0), (far, y0, HEIGHT)), ((near, y1, 0), (far, LENGTH, HEIGHT))]
        walls.append(((near, y0, top), (far, y1, HEIGHT)))
        corners = [(near, y0, 0), (far, y0, 0), (far, y1, 0), (near, y1, 0)]
        sill = np.array([[corners[k] for k in (0, 1, 2)], [corners[k] for k in (0, 2, 3)]])
    wall = np.concatenate([box(low, high, inside=False) for low, high in walls])
    triangles = np.concatenate([left, right, sill, wall])
    material = np.repeat([0, 1], [len(triangles) - len(wall), len(wall)])
    materials = [
        flat_material(absorption, 1.0),
        flat_material(absorption, 1.0, transmission, "wall"),
    ]
    heads = np.random.default_rng(0).uniform([0.7] * 3, [4.3, 4.3, 2.3], (16, 3))
    heads = np.vstack([heads, np.add(heads, [LENGTH + THICK, 0, 0])])
    return scene_of(triangles, material, materials, heads), heads


def room_energies(absorption, **options):
    """Mean energy in the source's room and in the other."""
    scene, heads = two_rooms(absorption, **options)
    detectors = make_detectors(heads, np.full(32, 0.4))
    energy, _, _ = trace(scene, heads[:4], detectors, n_rays=16384)
    energy = energy[..., 3].sum(axis=(0, 2))
    return energy[:16].mean(), energy[16:].mean()


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.mark.slow
def test_rooms_without_a_door_share_nothing_at_all():
    near, far = room_energies(0.1)
    assert near > 0
    assert far == 0


@pytest.mark.parametrize(("absorption", "tolerance"), [(0.05, 0.5), (0.1, 0.7), (0.2, 1.3)])
def test_a_door_shares_sound_as_coupled_rooms_do(absorption, tolerance):
    """E2 / E1 = S / (A2 + S), Sabine's absorption area; the theory asks for little of it."""
    near, far = room_energies(absorption, door=DOOR)
    area = absorption * (SURFACE - DOOR_AREA)
    assert decibels(far / near) == pytest.approx(
        decibels(DOOR_AREA / (area + DOOR_AREA)), abs=tolerance
    )


@pytest.mark.parametrize("transmission", [0.001, 0.01, 0.1])
@pytest.mark.parametrize("absorption", [0.05, 0.2])
def test_a_thin_wall_shares_sound_as_its_transmission_says(absorption, transmission):
    """E2 / E1 = tau S / (A2 + tau S), what the wall lets out again being lost to room 2."""
    near, far = room_energies(absorption, transmission=transmission)
    through = transmission * WALL
    expected = decibels(through / (absorption * SURFACE + through))
    assert decibels(far / near) == pytest.approx(expected, abs=0.6)


def all_energy(row):
    """(N, 7) energy of compact responses, paths and histogram."""
    length = np.maximum(row["path_delay"] / DELAY_STEPS / SAMPLE_RATE * SPEED_OF_SOUND, 0.3)
    used = np.arange(16) < row["n_paths"][:, None]
    paths = np.where(used[..., None], (GAIN_OF_CODE[row["path_gain"]] / length[..., None]) ** 2, 0)
    return ENERGY_OF_CODE[row["energy"]].sum(axis=1) + paths.sum(axis=1)


def both_ways(scene, nodes, n_rays):
    """Level difference (pairs, 7) in dB of all pairs of nodes, and the lower level (pairs, 7)."""
    tracer = SourceTracer(scene, TraceConfig(n_rays=n_rays))
    levels = decibels(np.stack([all_energy(tracer.trace(int(s))[nodes]) for s in nodes]))
    i, j = np.triu_indices(len(nodes), 1)
    return levels[i, j] - levels[j, i], np.minimum(levels[i, j], levels[j, i])


def test_levels_in_a_flat_are_the_same_both_ways():
    """At the default number of rays, 1 kHz: no bias, and a scatter of some decibels that is
    the noise of few rays, largest where doors and corners let few of them pass."""
    scene = House(3, "flat").scene(0.5)
    nodes = np.random.default_rng(0).choice(len(scene.graph), 12, replace=False)
    difference, level = both_ways(scene, nodes, 4096)
    assert abs(np.median(difference[:, 3])) < 0.3
    loud = level[:, 3] > -15
    assert loud.mean() > 0.3
    assert np.std(difference[loud, 3]) < 1.0
    assert np.std(difference[:, 3]) < 2.0


@pytest.mark.slow
def test_reciprocity_improves_with_rays():
    scene = House(3).scene()
    nodes = np.random.default_rng(0).choice(len(scene.graph), 10, replace=False)
    few, many = (np.std(both_ways(scene, nodes, n)[0][:, 1:6]) for n in (2048, 32768))
    assert many < 0.6 * few
