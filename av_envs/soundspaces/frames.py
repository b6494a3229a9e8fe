"""Conversion between coordinates and angles of SoundSpaces and of this package.

    frame     axes                                        used in
    world     x east, y north, z up                       this project
    mesh      x right, y forward, z up: the same axes     points.txt, at the height of the ears
    habitat   x right, y up, z backward                   graph.pkl and episodes, on the floor

Three conventions name the four headings, all in degrees:

    faces in habitat   heading   theta   phi   alpha   faces in the mesh
    +x                 0 east      270     0      90   +x
    -z                 1 north       0   270       0   +y
    -x                 2 west       90   180     270   -x
    +z                 3 south     180    90     180   -y

theta  counter-clockwise about habitat's +y from -z: keys of scene_observations, and the yaw
       of an episode's start_rotation
phi    atan2(dz, dx) in habitat: which neighbour a forward step leads to
alpha  clockwise from +y of the mesh: folders of the binaural responses

Points are arrays (..., 3) float in metres; quaternions are (x, y, z, w).
"""

import math
from collections.abc import Sequence

import numpy as np

from av_envs.conventions import N_HEADINGS

SOURCE_HEIGHT = {"replica": 1.5528907, "mp3d": 1.5}  # m above the floor, of ears and sources
ANGLES = (0, 90, 180, 270)  # degrees, that occur as theta, phi or alpha
ALIGNED = 0.5  # degrees that a step may turn away from a heading, as SoundSpaces rounds
_VERTICAL = 1e-3  # largest x or z of a quaternion that only turns about the vertical


def world_from_habitat(points: np.ndarray) -> np.ndarray:
    """World coordinates of points in habitat's frame."""
    x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
    return np.stack([x, -z, y], axis=-1)


def habitat_from_world(points: np.ndarray) -> np.ndarray:
    """Habitat's coordinates of points in the world frame."""
    x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def floor_from_mesh(points: np.ndarray, dataset: str) -> np.ndarray:
    """Places on the floor, in the world frame, below the points of a points.txt."""
    return np.asarray(points, float) - np.array([0, 0, source_height(dataset)])


def mesh_from_floor(points: np.ndarray, dataset: str) -> np.ndarray:
    """Coordinates in points.txt of places on the floor, given in the world frame."""
    return np.asarray(points, float) + np.array([0, 0, source_height(dataset)])


def habitat_from_mesh(points: np.ndarray, dataset: str) -> np.ndarray:
    """Coordinates in graph.pkl of points of a points.txt: on the floor, in habitat's frame."""
    return habitat_from_world(floor_from_mesh(points, dataset))


def source_height(dataset: str) -> float:
    """Metres above the floor at which ears and sources of a data set are."""
    if dataset not in SOURCE_HEIGHT:
        raise ValueError(f"unknown dataset {dataset!r}; choose from {', '.join(SOURCE_HEIGHT)}")
    return SOURCE_HEIGHT[dataset]


def theta_of(heading: int) -> int:
    """Theta in degrees of a heading in quarter turns from east."""
    if heading not in range(N_HEADINGS):
        raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
    return 90 * (heading - 1) % 360


def heading_of(theta: float) -> int:
    """Heading in quarter turns from east of a theta in degrees, a multiple of 90."""
    quarters = float(theta) / 90
    if not math.isfinite(quarters) or quarters != round(quarters):
        raise ValueError(f"theta must be a multiple of 90 degrees, got {theta!r}")
    return (round(quarters) + 1) % N_HEADINGS


def nearest_heading(theta: float) -> int:
    """The heading that a theta in degrees is nearest to; of two, the one further left."""
    return (math.floor(theta / 90 + 0.5) + 1) % N_HEADINGS


def phi_of(heading: int) -> int:
    """Phi in degrees of a heading in quarter turns from east."""
    return (270 - theta_of(heading)) % 360


def alpha_of(heading: int) -> int:
    """Alpha in degrees of a heading in quarter turns from east."""
    return -theta_of(heading) % 360


def theta_of_quaternion(rotation: Sequence[float]) -> float:
    """Theta in degrees, in [0, 360), of a rotation (x, y, z, w) about the vertical.

    SoundSpaces itself takes the angle of the rotation and not its axis, so that it reads a turn
    to the right as one to the left; `legacy_theta_of_quaternion` says what it makes of it.
    """
    x, y, z, w = _unit(rotation)
    if max(abs(x), abs(z)) > _VERTICAL:
        raise ValueError(f"rotation must be about the vertical, got {_listed(rotation)}")
    return _whole_turns(math.degrees(2 * math.atan2(y, w)))


def legacy_theta_of_quaternion(rotation: Sequence[float]) -> float:
    """Theta in degrees, in [0, 360), as SoundSpaces reads a rotation (x, y, z, w)."""
    x, y, z, w = _unit(rotation)
    return _whole_turns(math.degrees(2 * math.atan2(math.hypot(x, y, z), w)))


def quaternion_of(heading: int) -> tuple[float, float, float, float]:
    """The rotation (x, y, z, w) of a heading, read the same way by SoundSpaces and by us."""
    half = math.radians(theta_of(heading)) / 2
    return 0.0, math.sin(half), 0.0, math.cos(half)


def heading_of_step(offset: np.ndarray) -> int | None:
    """The heading in which a step (3,) in the world frame leads; None if it is none of the four."""
    x, y = float(offset[0]), float(offset[1])
    quarters = math.degrees(math.atan2(y, x)) / 90
    if (x == 0 and y == 0) or abs(quarters - round(quarters)) * 90 > ALIGNED:
        return None
    return round(quarters) % N_HEADINGS


def _unit(rotation: Sequence[float]) -> tuple[float, ...]:
    values = [float(value) for value in rotation]
    length = math.hypot(*values)
    if len(values) != 4 or not math.isfinite(length) or length < 1e-6:
        raise ValueError(f"rotation must be a quaternion (x, y, z, w), got {_listed(rotation)}")
    return tuple(value / length for value in values)


def _whole_turns(degrees: float) -> float:
    """The same angle in [0, 360), free of rounding beside a multiple of 90."""
    quarters = degrees / 90
    if abs(quarters - round(quarters)) < 1e-5:
        return float(90 * round(quarters) % 360)
    return degrees % 360


def _listed(rotation: Sequence[float]) -> list[float]:
    return [float(value) for value in rotation]
