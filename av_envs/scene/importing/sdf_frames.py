"""Poses and frames of SDF: what `<pose relative_to="f">` means.

SDFormat 1.7 and later, "Pose frame semantics". The attribute `frame` of 1.5 and 1.6 is read
as `relative_to`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from scipy.spatial.transform import Rotation

Pose = Sequence[float]  # x, y, z in metres, roll, pitch, yaw in radians
WORLD, MODEL = "world", "__model__"  # what the root of a scope is called
ATTRIBUTES = ("relative_to", "frame", "degrees", "rotation_format")  # of a pose
EULER, QUATERNION = "euler_rpy", "quat_xyzw"


class Scope:
    """The frames of a world or of a model by their names.

    where  for errors
    root   the name of its own frame
    """

    def __init__(self, where: str, root: str):
        self._where, self._root = where, root
        self._stated: dict[str, tuple[np.ndarray, str]] = {}
        self._inner: dict[str, Scope] = {}
        self._doubled: set[str] = set()

    def add(
        self, name: str, matrix: np.ndarray, relative_to: str = "", inner: "Scope | None" = None
    ) -> None:
        """A frame by its pose (4,4) in another one, "" for the root; inner: of a model."""
        if name in self._stated:
            self._doubled.add(name)
        self._stated[name] = matrix, relative_to
        if inner is not None:
            self._inner[name] = inner

    def pose(self, name: str) -> np.ndarray:
        """(4,4) of a frame in the root; "a::b" is the frame b of the model a."""
        matrix, passed = np.eye(4), []
        while name not in ("", self._root):
            if name in passed:
                raise ValueError(
                    f"{self._where}: frames are relative to each other: "
                    f"{' -> '.join((*passed, name))}"
                )
            passed.append(name)
            if name in self._stated:
                if name in self._doubled:
                    raise ValueError(f"{self._where}: more than one frame is called {name!r}")
                stated, name = self._stated[name]
                matrix = stated @ matrix
                continue
            outer, _, rest = name.partition("::")
            if outer not in self._inner or not rest:
                known = ", ".join((self._root, *self._stated))
                raise ValueError(f"{self._where}: no frame is called {name!r}; there is {known}")
            matrix = self._inner[outer].pose(rest) @ matrix
            name = outer
        return matrix

    def place(self, matrix: np.ndarray, relative_to: str) -> np.ndarray:
        """(4,4) in the root of a pose in one of the frames."""
        return self.pose(relative_to) @ matrix


def stated_pose(
    path: Path, element: ElementTree.Element, default: str = ""
) -> tuple[np.ndarray, str]:
    """The pose (4,4) that an element states, and the frame it is in."""
    stated = element.find("pose")
    if stated is None:
        return np.eye(4), default
    what = f"the pose of {element.get('name') or element.tag!r}"
    unknown = sorted(set(stated.attrib) - set(ATTRIBUTES))
    if unknown:
        raise ValueError(f"{path}: {what} has {unknown[0]!r}, which is not read")
    style = stated.get("rotation_format", EULER)
    in_degrees = _flag(path, what, stated.get("degrees", "false"))
    text = stated.text or ""
    if style == EULER:
        values = numbers(path, what, text if text.strip() else "0 0 0 0 0 0", 6)
        values[3:] = np.deg2rad(values[3:]) if in_degrees else values[3:]
        matrix = matrix_of(path, what, values)
    elif style == QUATERNION and not in_degrees:
        values = numbers(path, what, text if text.strip() else "0 0 0 0 0 0 1", 7)
        if not np.linalg.norm(values[3:]) > 0:
            raise ValueError(f"{path}: {what} has no rotation: {text!r}")
        matrix = _joined(values[:3], Rotation.from_quat(values[3:]))
    else:
        degrees = " in degrees" if in_degrees else ""
        raise ValueError(
            f"{path}: {what} has the rotation_format {style!r}{degrees}; "
            f"{EULER} and, not in degrees, {QUATERNION} are read"
        )
    return matrix, stated.get("relative_to") or stated.get("frame") or default


def numbers(path: Path, what: str, text: str, count: int) -> np.ndarray:
    """(count,) float64 of a text."""
    try:
        values = np.array(text.split(), float)
    except ValueError:
        values = np.empty(0)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError(f"{path}: {what} needs {count} numbers, got {text!r}")
    return values


def matrix_of(path: Path, what: str, pose: Pose) -> np.ndarray:
    """(4,4) of x, y, z, roll, pitch, yaw: turned about x, then y, then z."""
    values: Any = np.asarray(pose, float)
    if values.shape != (6,) or not np.isfinite(values).all():
        raise ValueError(f"{path}: {what} needs 6 numbers, got {pose!r}")
    return _joined(values[:3], Rotation.from_euler("xyz", values[3:]))


def _joined(position: np.ndarray, rotation: Rotation) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation.as_matrix()
    matrix[:3, 3] = position
    return matrix


def _flag(path: Path, what: str, text: str) -> bool:
    if text.strip() not in ("true", "1", "false", "0"):
        raise ValueError(f"{path}: degrees of {what} must be true or false, got {text!r}")
    return text.strip() in ("true", "1")
