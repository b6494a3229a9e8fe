"""Pre-rendered views of a scene, and their use in environments."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from av_envs.cache.rows import RowFile
from av_envs.conventions import N_HEADINGS
from av_envs.soundspaces.errors import UnreadableFileError
from av_envs.soundspaces.frames import heading_of, theta_of
from av_envs.soundspaces.reading.unpickling import load_pickle
from av_envs.vision import IMAGE_SIZE, MAX_DEPTH
from av_envs.vision.views import DEPTH_STEPS, VIEW

VERSION = 1  # of the rows that are kept


@dataclass(frozen=True, eq=False)
class StoredView:
    """Arrays stored for one pose, without trailing axes of length one.

    arrays  by habitat's names, usually rgb (128, 128, 3) uint8 and depth (128, 128) float32
    """

    arrays: Mapping[str, np.ndarray]

    @property
    def rgb(self) -> np.ndarray:
        return self.arrays["rgb"]

    @property
    def depth(self) -> np.ndarray:
        """Share of 10 m, as stored."""
        return self.arrays["depth"]

    @property
    def depth_m(self) -> np.ndarray:
        """Metres along the view axis, 10 where it is farther."""
        return np.float32(MAX_DEPTH) * self.depth


def read_observations(path: Path) -> dict[tuple[int, int], StoredView]:
    """All views of a scene by node and heading, quarter turns from east."""
    return dict(_stored_views(path))


def _stored_views(path: Path) -> Iterator[tuple[tuple[int, int], StoredView]]:
    stored = load_pickle(path)
    if not isinstance(stored, dict):
        raise UnreadableFileError(path, f"must be a dict of poses, is {type(stored).__name__}")
    for key, arrays in stored.items():
        try:
            node, theta = key
            pose = int(node), heading_of(theta)
            views = {str(name): _array(name, array) for name, array in arrays.items()}
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            raise UnreadableFileError(
                path, f"the entry {key!r} is no (node, theta) with pictures: {error}"
            ) from None
        yield pose, StoredView({name: _squeezed(array) for name, array in views.items()})


def _array(name: str, stored: Any) -> np.ndarray:
    if not isinstance(stored, np.ndarray):
        raise TypeError(f"{name!r:.40} is a {type(stored).__name__}, no array")
    return stored


def _squeezed(array: np.ndarray) -> np.ndarray:
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


class RecordedViews:
    """Views of a scene as the environments want them.

    The pickle is read once per machine: its pictures go into a file of the cache, as those of
    the built-in camera do, with depth in steps of 0.15 mm. All processes share that file.

    path   of the pickle
    nodes  (N,) its numbers of the nodes, in the order of ours
    """

    def __init__(self, path: Path, scene: str, nodes: np.ndarray):
        self.path, self._nodes = path, [int(node) for node in nodes]
        stat = path.stat()
        told = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {self._nodes}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:16]
        name = f"views/soundspaces-{scene}-{digest}-v{VERSION}"
        self._rows = RowFile(name, VIEW, (1,), N_HEADINGS * len(nodes))
        self._reading = Lock()

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128, 1) float32 in units of 10 m."""
        number = self._number(node, heading)
        row = self._rows.read(number)
        if row is None:
            row = self._fill(number)
        depth = row["depth"][0] * np.float32(1 / DEPTH_STEPS)
        return row["rgb"][0].copy(), depth[:, :, None]

    def labels(self, node: int, heading: int) -> np.ndarray:
        raise ValueError(
            f"{self.path}: SoundSpaces has no labels of av_envs.scene.CATEGORIES; "
            "leave 'semantic' out of observations"
        )

    def _number(self, node: int, heading: int) -> int:
        if not 0 <= node < len(self._nodes):
            raise ValueError(f"{self.path} has nodes 0..{len(self._nodes) - 1}, got {node}")
        if heading not in range(N_HEADINGS):
            raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
        return N_HEADINGS * node + heading

    def _fill(self, wanted: int) -> np.ndarray:
        """Keep all pictures of the pickle; the wanted one."""
        with self._reading:
            row = self._rows.read(wanted)  # another thread may have been first
            if row is not None:
                return row
            places = {node: place for place, node in enumerate(self._nodes)}
            found = None
            for (node, heading), view in _stored_views(self.path):
                if node in places:
                    number = N_HEADINGS * places[node] + heading
                    made = self._row(node, heading, view)
                    self._rows.put(number, made)
                    found = made if number == wanted else found
        if found is None:
            place, heading = divmod(wanted, N_HEADINGS)
            raise UnreadableFileError(
                self.path, f"has no view {(self._nodes[place], theta_of(heading))}"
            )
        return found

    def _row(self, node: int, heading: int, view: StoredView) -> np.ndarray:
        where = f"the view {(node, theta_of(heading))}"
        for name, shape, kind in (("rgb", (IMAGE_SIZE, IMAGE_SIZE, 3), "u"),
                                  ("depth", (IMAGE_SIZE, IMAGE_SIZE), "f")):  # fmt: skip
            if name not in view.arrays:
                raise UnreadableFileError(self.path, f"{where} has no {name!r}")
            array = view.arrays[name]
            if array.shape != shape or array.dtype.kind != kind:
                raise UnreadableFileError(
                    self.path, f"{name} of {where} must be {shape} of kind {kind!r}, "
                    f"is {array.shape} {array.dtype}",
                )  # fmt: skip
        if not (view.depth.min() >= 0 and view.depth.max() <= 1):
            raise UnreadableFileError(self.path, f"depth of {where} must lie in 0..1, 1 is 10 m")
        row = np.empty(1, VIEW)
        row["rgb"][0], row["depth"][0] = view.rgb, np.rint(view.depth * np.float32(DEPTH_STEPS))
        return row
