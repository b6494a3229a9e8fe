"""Cached RGB-D views from every node of a scene."""

import hashlib
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from av_envs.cache.rows import RowFile
from av_envs.options import check_choice
from av_envs.scene.scene import Scene
from av_envs.vision.camera import IMAGE_SIZE, MAX_DEPTH, render_labels, render_rgbd
from av_envs.vision.light import Lights, lights_of

LOOKS = ("lit", "flat")  # with lamps, shadows and doors; or without, as in version 0.1
CAMERA_VERSION = 2  # of flat pictures: camera, light and textures
LIGHT_VERSION = 2  # of what lit ones have beyond that
N_HEADINGS = 4
DEPTH_STEPS = 65_535  # depth is kept in 0.15 mm steps
VIEW = np.dtype(
    [
        ("rgb", np.uint8, (IMAGE_SIZE, IMAGE_SIZE, 3)),
        ("depth", np.uint16, (IMAGE_SIZE, IMAGE_SIZE)),
    ]
)


def pictures_version(look: str) -> str:
    """Changes whenever pictures of that look do."""
    return f"v{CAMERA_VERSION}" + (f"-lit{LIGHT_VERSION}" if look == "lit" else "")


class ViewCache:
    """Views from the heads of all nodes of one scene: rendered on demand, cached on disk.

    look  one of LOOKS; depth is the same in both
    """

    def __init__(self, scene: Scene, look: str = LOOKS[0]):
        check_choice("look", look, LOOKS)
        self.scene, self.look = scene, look
        name = f"views/{scene.name}-{scene.fingerprint[:16]}-{pictures_version(look)}"
        if look == "lit":  # by what a surface is, which the fingerprint leaves out
            kinds = hashlib.sha256(scene.category.tobytes()).hexdigest()[:8]
            name += f"-{kinds}"
        self._rows = RowFile(name, VIEW, (1,), N_HEADINGS * len(scene.graph.positions))

    def __reduce__(self) -> tuple:
        return type(self), (self.scene, self.look)

    @cached_property
    def lights(self) -> Lights | None:
        """Of the scene; None if it is drawn flat."""
        return lights_of(self.scene) if self.look == "lit" else None

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """The view from a node's head.

        Returns rgb (128, 128, 3) uint8 and depth (128, 128, 1) float32 in [0, 1], in
        units of MAX_DEPTH. Both arrays belong to the caller.
        """
        number = self._number(node, heading)
        row = self._rows.read(number)
        if row is None:
            row = self._render(node, heading)
            self._rows.put(number, row)
        depth = row["depth"][0] * np.float32(1 / DEPTH_STEPS)
        return row["rgb"][0], depth[:, :, None]

    def labels(self, node: int, heading: int) -> np.ndarray:
        """(128, 128) uint8, index into CATEGORIES of each pixel of that view.

        Not cached: rendering takes hardly longer than reading.
        """
        self._number(node, heading)
        return render_labels(self.scene, self.scene.graph.heads[node], heading)

    def bake(self, nodes: Iterable[int]) -> None:
        """Render the views at `nodes` that do not exist yet."""
        filled = self._rows.filled()
        for node in nodes:
            for heading in range(N_HEADINGS):
                number = self._number(node, heading)
                if not filled[number]:
                    self._rows.put(number, self._render(node, heading))

    def filled(self) -> np.ndarray:
        """(N,) bool, at which nodes all four views exist."""
        return self._rows.filled().reshape(-1, N_HEADINGS).all(axis=1)

    def _number(self, node: int, heading: int) -> int:
        """Row of a view."""
        n_nodes = len(self.scene.graph.positions)
        if not 0 <= node < n_nodes:
            raise ValueError(f"{self.scene.name} has nodes 0..{n_nodes - 1}, got {node}")
        if heading not in range(N_HEADINGS):
            raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
        return N_HEADINGS * node + heading

    def _render(self, node: int, heading: int) -> np.ndarray:
        row = np.empty(1, VIEW)
        rgb, depth = render_rgbd(
            self.scene, self.scene.graph.heads[node], heading, lights=self.lights
        )
        row["rgb"][0] = rgb
        row["depth"][0] = np.rint(depth * (DEPTH_STEPS / MAX_DEPTH))
        return row
