"""The hull of the robots against closed forms, its symmetries and scipy's hull."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull

from av_envs.rir_measure.hull import hull_perimeter_and_area

coordinates = st.floats(-20, 20, allow_nan=False, width=32)
some_points = arrays(float, st.tuples(st.integers(1, 8), st.just(2)), elements=coordinates)


@pytest.mark.parametrize(
    ("points", "perimeter", "area"),
    [
        ([(3, 4)], 0, 0),
        ([(3, 4)] * 4, 0, 0),
        ([(0, 0), (5e-7, -5e-7)], 0, 0),
        ([(0, 0), (3, 4)], 10, 0),
        ([(0, 0), (3, 4), (0, 0), (3, 4)], 10, 0),
        ([(0, 0), (1, 0), (2, 0), (0.5, 0)], 4, 0),
        ([(0, 0), (0.3, 0.1), (0.6, 0.2), (0.9, 0.3)], 2 * np.hypot(0.9, 0.3), 0),
        ([(0, 0), (1, 0), (1, 1), (0, 1)], 4, 1),
        ([(0, 0), (1, 1), (1, 0), (0, 1), (0.5, 0.5)], 4, 1),
        ([(0, 0), (2, 0), (0, 0.5), (2, 0)], 2.5 + np.sqrt(4.25), 0.5),
    ],
)
def test_closed_forms(points, perimeter, area):
    got = hull_perimeter_and_area(np.array(points))
    assert got == pytest.approx((perimeter, area), abs=1e-12)
    assert all(type(value) is float for value in got)


def test_the_example_of_a_step_sideways():
    step = hull_perimeter_and_area(np.array([(0, 0), (2, 0), (0, 0.5), (2, 0)]))
    assert step == pytest.approx((4.5616, 0.5), abs=5e-5)


@given(some_points, st.floats(-50, 50), st.floats(0, 7))
def test_moving_and_turning_change_nothing(points, shift, angle):
    cos, sin = np.cos(angle), np.sin(angle)
    moved = points @ np.array([[cos, sin], [-sin, cos]]) + shift
    assert hull_perimeter_and_area(moved) == pytest.approx(
        hull_perimeter_and_area(points), rel=1e-6, abs=1e-4
    )


@given(some_points, st.randoms(use_true_random=False))
def test_the_order_of_robots_does_not_matter(points, random):
    order = random.sample(range(len(points)), len(points))
    assert hull_perimeter_and_area(points[order]) == pytest.approx(
        hull_perimeter_and_area(points), rel=1e-6, abs=1e-4
    )


@given(some_points, coordinates, coordinates)
def test_another_point_never_shrinks_the_hull(points, x, y):
    perimeter, area = hull_perimeter_and_area(points)
    more = hull_perimeter_and_area(np.vstack([points, (x, y)]))
    assert more[0] >= perimeter - 1e-4
    assert more[1] >= area - 1e-4


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_hull_of_scipy(seed):
    points = np.random.default_rng(seed).normal(size=(4 + seed, 2))
    hull = ConvexHull(points)  # in two dimensions its area is a perimeter, its volume an area
    expected = pytest.approx((hull.area, hull.volume), rel=1e-12)
    assert hull_perimeter_and_area(points) == expected


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((4, 3)), np.zeros(2)])
def test_other_shapes_raise(points):
    with pytest.raises(ValueError, match="points must have the shape"):
        hull_perimeter_and_area(points)


def test_no_place_raises():
    with pytest.raises(ValueError, match="points must be finite"):
        hull_perimeter_and_area(np.array([(0, 0), (np.nan, 1)]))


@pytest.mark.slow
def test_it_is_quick_enough_for_every_step():
    points = np.random.default_rng(0).normal(size=(4, 2))
    seconds = []
    for _ in range(500):
        begin = time.perf_counter()
        hull_perimeter_and_area(points)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 60e-6
