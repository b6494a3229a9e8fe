import numpy as np
import pytest

from av_envs.scene.clearance import distance_to_surfaces

TRIANGLE = np.array([[[0, 0, 0], [2, 0, 0], [0, 2, 0]]], np.float32)


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((0.5, 0.5, 0.7), 0.7),  # above the inside
        ((1, -3, 4), 5.0),  # beside the edge on the x axis
        ((-3, 1, -4), 5.0),  # beside the edge on the y axis
        ((2, 2, 0), 2**0.5),  # beside the long edge
        ((-3, -4, 12), 13.0),  # off the corner at the origin
        ((5, -4, 0), 5.0),  # off the corner on the x axis
        ((0, 5, 4), 5.0),  # off the corner on the y axis
        ((0.5, 0.5, 0), 0.0),  # on the triangle
    ],
)
def test_distance_to_one_triangle(point, distance):
    found = distance_to_surfaces(np.array([point], np.float32), TRIANGLE, 100.0)
    assert found[0] == pytest.approx(distance, abs=1e-6)


def test_agrees_with_dense_samples_of_random_triangles():
    rng = np.random.default_rng(0)
    triangles = rng.uniform(-1, 1, (8, 3, 3)).astype(np.float32)
    points = rng.uniform(-2, 2, (40, 3)).astype(np.float32)
    weights = rng.dirichlet((0.5, 0.5, 0.5), 20_000)
    samples = (weights @ triangles).reshape(-1, 3)  # (8 * 20000, 3)
    nearest = [np.linalg.norm(samples - point, axis=1).min() for point in points]
    found = distance_to_surfaces(points, triangles, 100.0)
    assert (found <= np.array(nearest) + 1e-5).all()
    assert found == pytest.approx(nearest, abs=0.02)


def test_far_points_get_the_cap():
    far = np.array([[0, 0, 50]], np.float32)
    assert distance_to_surfaces(far, TRIANGLE, 1.0).tolist() == [1.0]
