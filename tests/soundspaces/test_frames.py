"""The table of angles, written out by hand, and the axes behind it."""

import math

import numpy as np
import pytest

from av_envs.soundspaces import frames

# faces in habitat, heading, theta, phi, alpha, faces in the mesh
TABLE = [
    ((0, 0, -1), 1, 0, 270, 0, (0, 1, 0)),
    ((-1, 0, 0), 2, 90, 180, 270, (-1, 0, 0)),
    ((0, 0, 1), 3, 180, 90, 180, (0, -1, 0)),
    ((1, 0, 0), 0, 270, 0, 90, (1, 0, 0)),
]
ROW = ("in_habitat", "heading", "theta", "phi", "alpha", "in_mesh")


@pytest.mark.parametrize(ROW, TABLE)
def test_every_convention_names_the_same_direction(in_habitat, heading, theta, phi, alpha, in_mesh):
    assert frames.theta_of(heading) == theta
    assert frames.heading_of(theta) == heading
    assert frames.phi_of(heading) == phi
    assert frames.alpha_of(heading) == alpha
    assert frames.world_from_habitat(in_habitat).tolist() == list(in_mesh)
    assert frames.heading_of_step(np.array(in_mesh)) == heading


@pytest.mark.parametrize(ROW, TABLE)
def test_the_angles_are_what_their_definitions_say(in_habitat, heading, theta, phi, alpha, in_mesh):
    """Each formula on its own, from the axes and nothing else."""
    x, _, z = in_habitat
    assert round(math.degrees(math.atan2(-x, -z))) % 360 == theta  # about +y, from -z
    assert round(math.degrees(math.atan2(z, x))) % 360 == phi
    assert round(math.degrees(math.atan2(in_mesh[0], in_mesh[1]))) % 360 == alpha
    assert round(math.degrees(math.atan2(in_mesh[1], in_mesh[0]))) % 360 == 90 * heading


def test_turning_left_adds_to_theta_and_to_the_heading():
    for heading in range(4):
        assert frames.theta_of((heading + 1) % 4) == (frames.theta_of(heading) + 90) % 360


@pytest.mark.parametrize(("dataset", "height"), [("replica", 1.5528907), ("mp3d", 1.5)])
def test_points_of_a_data_set_stand_above_the_floor(dataset, height):
    """The conversion as SoundSpaces writes it: (x, z - height, -y)."""
    points = np.array([[1.0, 2.0, 3.0], [-4.0, 5.5, 0.25]])
    expected = np.stack([points[:, 0], points[:, 2] - height, -points[:, 1]], axis=1)
    np.testing.assert_allclose(frames.habitat_from_mesh(points, dataset), expected)
    floor = frames.floor_from_mesh(points, dataset)
    np.testing.assert_allclose(frames.mesh_from_floor(floor, dataset), points)
    np.testing.assert_allclose(frames.habitat_from_world(floor), expected)


def test_frames_are_rotations_of_each_other():
    points = np.random.default_rng(0).normal(size=(5, 2, 3))
    np.testing.assert_allclose(frames.world_from_habitat(frames.habitat_from_world(points)), points)
    axes = frames.world_from_habitat(np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1)


def test_an_unknown_data_set_is_named():
    with pytest.raises(ValueError, match="'hm3d'; choose from replica, mp3d"):
        frames.floor_from_mesh(np.zeros(3), "hm3d")


@pytest.mark.parametrize("heading", range(4))
def test_a_heading_survives_its_quaternion(heading):
    rotation = frames.quaternion_of(heading)
    assert np.linalg.norm(rotation) == pytest.approx(1)
    assert frames.theta_of_quaternion(rotation) == frames.theta_of(heading)
    assert frames.legacy_theta_of_quaternion(rotation) == frames.theta_of(heading)
    assert frames.theta_of_quaternion([-value for value in rotation]) == frames.theta_of(heading)


def test_a_quaternion_turns_a_vector_the_way_theta_says():
    """Rotate habitat's forward axis -z by q v q* and look where it points."""
    for heading in range(4):
        x, y, z, w = frames.quaternion_of(heading)
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        ahead = frames.world_from_habitat(rotation @ [0, 0, -1])
        assert frames.heading_of_step(ahead) == heading


def test_a_turn_to_the_right_is_misread_by_soundspaces_only():
    half = math.sqrt(0.5)
    assert frames.theta_of_quaternion([0, -half, 0, half]) == 270
    assert frames.legacy_theta_of_quaternion([0, -half, 0, half]) == 90
    assert frames.theta_of_quaternion([0, half, 0, half]) == 90
    assert frames.legacy_theta_of_quaternion([0, half, 0, half]) == 90


@pytest.mark.parametrize("rotation", [[0, 0, 0, 0], [0, 1, 0], [0, math.nan, 0, 1]])
def test_what_is_no_rotation_is_an_error(rotation):
    with pytest.raises(ValueError, match="must be a quaternion"):
        frames.theta_of_quaternion(rotation)


def test_a_tilted_rotation_is_an_error():
    with pytest.raises(ValueError, match="about the vertical"):
        frames.theta_of_quaternion([0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    ("theta", "heading"), [(44.9, 1), (45, 2), (315, 1), (314.9, 0), (-10, 1), (359, 1)]
)
def test_the_nearest_heading_of_any_angle(theta, heading):
    assert frames.nearest_heading(theta) == heading


@pytest.mark.parametrize("theta", [45, 89.9, math.nan, math.inf])
def test_a_heading_is_never_guessed(theta):
    with pytest.raises(ValueError, match="multiple of 90"):
        frames.heading_of(theta)


@pytest.mark.parametrize("heading", [-1, 4, 0.5])
def test_there_are_four_headings(heading):
    with pytest.raises(ValueError, match="0, 1, 2 or 3 quarter turns"):
        frames.alpha_of(heading)


@pytest.mark.parametrize(
    ("offset", "heading"),
    [
        ((1, 0.008, 0), 0),  # 0.46 degrees
        ((1, 0.009, 0), None),  # 0.52 degrees
        ((-0.5, -1e-9, 0.1), 2),
        ((0.5, 0.5, 0), None),
        ((0, 0, 1), None),
    ],
)
def test_steps_count_as_straight_within_half_a_degree(offset, heading):
    assert frames.heading_of_step(np.array(offset)) == heading
