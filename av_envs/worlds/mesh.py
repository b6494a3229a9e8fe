"""Mesh files as dwellings: `backend="mesh"` of both tasks.

    gymnasium.make("AVDynamicSep-v0", backend="mesh", root="house.glb")

Responses are traced and views are rendered, as in the procedural houses.
"""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from av_envs.acoustics import TracedAcoustics
from av_envs.options import check_choice
from av_envs.paths import suffix_of, user_path
from av_envs.scene import SPLITS, Scene
from av_envs.scene.importing.frame import check_unit, check_up
from av_envs.scene.importing.gazebo import read_gazebo_world
from av_envs.scene.importing.labels import as_material
from av_envs.scene.importing.mesh import read_mesh
from av_envs.scene.importing.mesh_file import FORMATS
from av_envs.scene.importing.report import MeshReport
from av_envs.vision import ViewCache
from av_envs.vision.views import LOOKS
from av_envs.worlds.base import OPEN_AT_ONCE, Dwelling, check_head

WORLDS = (".world",)  # of Gazebo


class MeshWorld:
    """A mesh file, or a folder of them.

    root       a file: the one dwelling of every split. A folder: its files, sorted by name,
               are the dwellings of every split; if it has folders train, val and test, each
               holds those of its split. Formats are those of `read_mesh`, and .world
    unit, up, materials, default
               as in `read_mesh`, for all files; materials by name
    extra, without
               as in `read_gazebo_world`
    look       "lit" or "flat", see `vision.views`
    """

    def __init__(
        self,
        *,
        grid: float,
        hrtf: str = "kemar",
        kind: str = "house",
        root: str | os.PathLike[str] | None = None,
        unit: str | float = "auto",
        up: str = "auto",
        materials: Mapping[str, str] | None = None,
        default: str = "unknown",
        extra: Mapping[str, Sequence[float]] | None = None,
        without: Sequence[str] = (),
        look: str = LOOKS[0],
    ):
        path = user_path(root, "root", "a mesh file or a folder of them")
        check_unit(unit)
        check_up(up)
        check_head(hrtf)
        check_choice("look", look, LOOKS)
        for value in (default, *(materials or {}).values()):
            as_material("materials", value)
        self._grid, self._hrtf, self._look = float(grid), hrtf, look
        self._mesh_options = {"unit": unit, "up": up}
        self._world_options = {"extra": extra, "without": without}
        self._materials = {"materials": materials, "default": default}
        self._files = _files(path)
        self.open = lru_cache(maxsize=OPEN_AT_ONCE)(self._open)

    def names(self, split: str) -> Sequence[str]:
        """Paths of the files of a split."""
        return self._files[split]

    def read(self, name: str) -> tuple[Scene, MeshReport]:
        """The scene of that file and the import report."""
        is_world = suffix_of(name) in WORLDS
        known = self._world_options if is_world else self._mesh_options
        read = read_gazebo_world if is_world else read_mesh
        return read(name, self._grid, **known, **self._materials)

    def _open(self, name: str) -> Dwelling:
        if not any(name in names for names in self._files.values()):
            raise ValueError(f"dwelling {name!r} does not exist; there is {self._listed()}")
        scene, _ = self.read(name)
        acoustics = TracedAcoustics(scene, hrtf=self._hrtf)
        return Dwelling(scene, acoustics, ViewCache(scene, self._look))

    def _listed(self) -> str:
        return ", ".join(dict.fromkeys(name for names in self._files.values() for name in names))


def _files(root: Path) -> dict[str, list[str]]:
    """Paths of the mesh files of each split."""
    if root.is_file():
        return {split: [str(root)] for split in SPLITS}
    if not root.is_dir():
        raise ValueError(f"root {str(root)!r} does not exist")
    folders = {split: root / split for split in SPLITS}
    if not any(folder.is_dir() for folder in folders.values()):
        folders = dict.fromkeys(SPLITS, root)
    files = {split: _meshes(folder) for split, folder in folders.items()}
    if not any(files.values()):
        formats = ", ".join((*FORMATS, *WORLDS))
        raise ValueError(f"root {str(root)!r} holds no mesh file; formats are {formats}")
    return files


def _meshes(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [str(p) for p in sorted(folder.iterdir()) if suffix_of(p) in (*FORMATS, *WORLDS)]
