"""Angles and vectors in the frame of a listener."""

import numpy as np
import pytest

from av_envs.agents.localization.directions import (
    angles_between,
    angles_of,
    folded,
    seen_from,
    unit_vectors,
)


def of(azimuth: float, elevation: float = 0.0) -> np.ndarray:
    return unit_vectors(np.radians(azimuth), np.radians(elevation))


def test_left_is_positive():
    np.testing.assert_allclose(of(90), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(of(0, 90), [0, 0, 1], atol=1e-12)


def test_angles_come_back():
    azimuth, elevation = angles_of(3 * of(-130, 40))
    assert np.degrees([azimuth, elevation]) == pytest.approx([-130, 40])


def test_angles_between():
    assert np.degrees(angles_between(of(10), of(-35))) == pytest.approx(45)
    assert np.degrees(angles_between(of(0, 60), of(180, 60))) == pytest.approx(60)
    assert np.degrees(angles_between(of(20), of(20))) < 0.03  # cosines are clipped


@pytest.mark.parametrize(("azimuth", "front"), [(150, 30), (-170, -10), (45, 45), (180, 0)])
def test_folded(azimuth, front):
    np.testing.assert_allclose(folded(of(azimuth, 20)), of(front, 20), atol=1e-12)


def test_seen_from():
    """A source in the north is ahead of who looks north, left of who looks east."""
    north = np.array([0.0, 2.0, 0.5])
    np.testing.assert_allclose(seen_from(np.array([1, 0, 3, 2]), np.tile(north, (4, 1))),
                               [[2, 0, 0.5], [0, 2, 0.5], [-2, 0, 0.5], [0, -2, 0.5]])  # fmt: skip
