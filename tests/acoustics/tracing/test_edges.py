"""Levels past an edge, on both of its sides, against the exact field of a hard wedge."""

import numpy as np
import pytest
from rooms import box, flat_material, scene_of

from av_envs.acoustics.tracing.corners import find_corners
from av_envs.acoustics.tracing.diffraction import DARK, LIT, PAST_EDGE, X_STEP, add_diffraction
from av_envs.acoustics.tracing.image_sources import find_mirrors, image_paths
from av_envs.acoustics.tracing.surfaces import make_surfaces
from av_envs.conventions import BANDS_HZ, SPEED_OF_SOUND

EAR = 1.5
EDGE = np.array([10.0, 10.0])
SIZE = (20, 20, 3)


def sheet_levels(source, degrees, distance):
    """(n, 7) dB against no edge, past the end of a sheet, and how many paths there are.

    source   distance in metres and degrees from the sheet; degrees, distance  of the listeners
    """
    around = np.radians(np.array([source[1], *degrees]) - 90)  # the sheet points south
    radii = np.array([source[0], *[distance] * len(degrees)])
    plan = EDGE + radii[:, None] * np.column_stack([np.cos(around), np.sin(around)])
    heads = np.column_stack([plan, np.full(len(plan), EAR)])
    sheet = [[(10, 0, 0), (10, 10, 0), (10, 10, 3)], [(10, 0, 0), (10, 10, 3), (10, 0, 3)]]
    triangles = np.vstack([box((0, 0, 0), SIZE), np.array(sheet, float)])
    scene = scene_of(triangles, np.zeros(14), [flat_material(0.1)], heads)
    heads = scene.graph.heads
    paths = image_paths(scene, find_mirrors(scene), heads[0], heads, 0)
    add_diffraction(scene, make_surfaces(scene), find_corners(scene, heads), 0, heads, paths)
    straight = np.linalg.norm(heads - heads[0], axis=1)
    amplitude = paths.gain[1:, 0] * (straight[1:] / paths.length[1:, 0])[:, None]
    assert (paths.count[1:] == 1).all()
    return 20 * np.log10(amplitude)


def exact_levels(source, degrees, distance, air=2 * np.pi):
    """(n, 7) dB in octave bands against no edge, past a hard edge with `air` radians around it.

    Biot and Tolstoy, "Formulation of wave propagation in infinite media by normal
    coordinates with an application to diffraction", JASA 1957, in the form of Svensson et
    al., "An analytic secondary source model of edge diffraction impulse responses", JASA
    1999, eq. 1 to 3 for an infinite edge. Their integral over time is one over eta, and runs
    here along a line that leaves the real axis downwards, where nothing oscillates. No
    reflection may reach the listener: the angles add up to more than half a turn.
    """
    r, s = source[0], np.radians(source[1])
    x = np.geomspace(1e-6, 12, 1501)
    eta, step = x - 0.5j * np.tanh(x), np.gradient(x) * (1 - 0.5j / np.cosh(x) ** 2)
    along = np.sqrt(r**2 + distance**2 + 2 * r * distance * np.cosh(eta))
    levels, index = [], np.pi / air
    for angle in np.radians(degrees):
        straight = np.sqrt(r**2 + distance**2 - 2 * r * distance * np.cos(angle - s))
        signs = [np.pi + p * s + q * angle for p in (1, -1) for q in (1, -1)]
        beta = sum(np.sin(index * a) / (np.cosh(index * eta) - np.cos(index * a)) for a in signs)
        frequencies = np.array(BANDS_HZ)[:, None] * np.linspace(2**-0.5, 2**0.5, 21)
        waves = 2 * np.pi / SPEED_OF_SOUND * frequencies
        phases = np.exp(-1j * waves[..., None] * (along - straight))
        field = -index / (2 * np.pi) * straight * (phases @ (beta / along * step))
        field += abs(angle - s) < np.pi
        levels.append(10 * np.log10(np.mean(np.abs(field) ** 2, axis=-1)))
    return np.array(levels)


def test_the_exact_field_is_that_of_a_hard_wall_where_the_wedge_is_one():
    """An edge with half a turn of air is none: both images of the source, and no edge."""
    level = exact_levels((2, 100.0), [150.0], 3, air=np.pi)
    np.testing.assert_allclose(level, 0, atol=0.01)


@pytest.mark.parametrize(
    ("source", "distance"), [((2, 60), 2), ((2, 90), 2), ((1, 45), 3), ((3, 120), 1.5)]
)
def test_levels_on_both_sides_of_an_edge_are_the_exact_ones(source, distance):
    """Biot-Tolstoy-Medwin, every octave band."""
    boundary = source[1] + 180
    beyond = np.array([-50, -30, -20, -10, -5, -2, -0.5, 0.5, 2, 5, 10, 20, 30, 50, 80])
    degrees = [a for a in boundary + beyond if a < 350 and source[1] + a > 200]
    ours, exact = (f(source, degrees, distance) for f in (sheet_levels, exact_levels))
    np.testing.assert_allclose(ours, exact, atol=0.7)


def test_the_boundary_of_the_shadow_is_no_step():
    degrees = 60 + 180 + np.arange(-10.125, 10.2, 0.25)
    levels = sheet_levels((2, 60), degrees, 2)
    assert np.abs(np.diff(levels, axis=0)).max() < 0.35
    assert (np.diff(levels[40:], axis=0) < 0).all()  # darker and darker
    middle = levels[40:42].mean(axis=0)
    assert middle[-1] == pytest.approx(-6, abs=0.4)
    assert (middle > -6.1).all()  # at long waves the reflection's edge makes up for a part


def test_what_the_shadow_gains_is_what_the_light_loses():
    x = LIT + X_STEP * np.arange(len(PAST_EDGE))
    energy = PAST_EDGE**2
    gained = np.sum(energy[x > 0]) * X_STEP + energy[-1] * DARK
    lost = np.sum(1 - energy[x < 0]) * X_STEP
    assert PAST_EDGE[x.searchsorted(-1e-9)] == pytest.approx(0.5, abs=1e-3)
    assert abs(gained - lost) < 0.04  # of the energy within one X: 0.2 dB


def test_straight_ahead_through_a_door_each_jamb_takes_its_share():
    """Kirchhoff's slit of 0.8 m leaves -8 dB at 125 Hz; both edges of a jamb are one screen."""
    scene_parts = [box((0, 0, 0), (10, 6, 3))]
    scene_parts += [
        box((4.95, low, 0), (5.05, high, 3), inside=False) for low, high in ((-1, 2.6), (3.4, 7))
    ]
    triangles = np.concatenate(scene_parts)
    heads = [(2, 3, EAR), (8, 3, EAR)]
    scene = scene_of(triangles, np.zeros(len(triangles)), [flat_material(0.1)], heads)
    heads = scene.graph.heads
    paths = image_paths(scene, find_mirrors(scene), heads[0], heads, 0)
    add_diffraction(scene, make_surfaces(scene), find_corners(scene, heads), 0, heads, paths)
    level = 20 * np.log10(paths.gain[1, 0])
    assert (np.diff(level[:5]) >= 0).all()
    assert -9 < level[0] < -4
    assert abs(level[-1]) < 1
