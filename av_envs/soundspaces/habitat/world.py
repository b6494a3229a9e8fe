"""Scenes that habitat-sim opens as dwellings: `backend="habitat"` of both tasks.

Pictures come from habitat-sim. Sound comes from its audio sensor where it was built with one
that works, and from the built-in engine otherwise; nodes, and the surfaces of the built-in
engine, are those of the scene's mesh file, read by `av_envs.scene.importing.mesh` (extra [mesh]).

habitat-sim is no package of the index and is looked for when a world is opened. Its audio is
RLR-Audio-Propagation, whose licence, CC BY-NC 4.0, is for non-commercial use only.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from av_envs.acoustics import TracedAcoustics
from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import N_HEADINGS
from av_envs.paths import suffix_of, user_path
from av_envs.scene import Scene
from av_envs.scene.importing.mesh import read_mesh
from av_envs.soundspaces.habitat import probe
from av_envs.soundspaces.habitat.probe import HabitatError
from av_envs.soundspaces.habitat.simulator import Cameras, Ears, SceneFiles
from av_envs.soundspaces.rlr import LICENCE, LicenceNotice
from av_envs.vision import ViewCache, render_rgbd
from av_envs.vision.camera import MAX_DEPTH
from av_envs.worlds.base import Dwelling, check_head

AUDIO = ("auto", "habitat", "traced")
CONFIG = ".scene_dataset_config.json"
MESHES = (".glb", ".ply", ".obj")
OPEN_AT_ONCE = 2  # scenes per process: each simulator holds the mesh, on the graphics card too
KEPT_VIEWS = 4096  # per scene, 115 kB each
KEPT_RESPONSES = 512  # per scene, 128 kB each
FRAME_ERROR = 0.3  # m between the depths of habitat-sim and of the mesh as it was read
LOOKS = 8  # at which the two are compared


class HabitatWorld:
    """Scenes by their mesh files.

    root       a mesh file, a folder of mesh files, or a scene_dataset_config.json
    scenes     mesh files of a data set, relative to its file; or names of a folder's files
               without suffix; None: all of the folder. Every split has the same scenes
    audio      "habitat": its audio sensor; "traced": the built-in engine; "auto": the first
               if the build has audio. A build that misplaces sources is refused
    rays       of the audio sensor
    materials  whether the audio sensor reads materials from the semantic mesh
    gpu        graphics card that draws
    """

    def __init__(
        self,
        *,
        grid: float,
        hrtf: str = "kemar",
        kind: str = "house",
        root: str | os.PathLike[str] | None = None,
        scenes: Sequence[str] | None = None,
        audio: str = "auto",
        rays: int = 500,
        materials: bool = False,
        gpu: int = 0,
    ):
        if audio not in AUDIO:
            raise ValueError(f"audio must be one of {', '.join(AUDIO)}, got {audio!r}")
        self.files = scene_files(root, scenes)
        self.capabilities = probe.capabilities()
        if audio == "habitat" and self.capabilities.audio is None:
            raise HabitatError(
                f'habitat-sim {self.capabilities.version} was built without audio; audio="traced" '
                "hears the built-in engine"
            )
        self.audio = audio
        if audio == "auto":
            self.audio = "habitat" if self.capabilities.audio else "traced"
        if self.audio == "habitat":
            if hrtf != "kemar":
                raise ValueError(f"hrtf {hrtf!r}: habitat-sim hears through a head of its own")
            warnings.warn(LICENCE, LicenceNotice, stacklevel=2)
        else:
            check_head(hrtf)
        self._grid, self._hrtf, self._gpu = grid, hrtf, gpu
        self._ear_settings = {"n_rays": rays, "materials": materials}
        self.open = lru_cache(maxsize=OPEN_AT_ONCE)(self._open)

    def names(self, split: str) -> Sequence[str]:
        """The same scenes for every split: habitat-sim knows no splits."""
        return list(self.files)

    def _open(self, name: str) -> Dwelling:
        if name not in self.files:
            raise ValueError(f"there is no scene {name!r}; there is {', '.join(self.files)}")
        mesh, files = self.files[name]
        scene, _ = read_mesh(mesh, self._grid, unit="m")
        views = HabitatViews(scene, partial(Cameras, files, self._gpu))
        _check_frame(scene, views, mesh)
        if self.audio == "traced":
            return Dwelling(scene, TracedAcoustics(scene, hrtf=self._hrtf), views)
        late = probe.latency(files, scene)
        ears = partial(Ears, files, **self._ear_settings, gpu=self._gpu)
        return Dwelling(scene, HabitatAcoustics(scene, ears, late), views)


def scene_files(
    root: str | os.PathLike[str] | None, scenes: Sequence[str] | None
) -> dict[str, tuple[Path, SceneFiles]]:
    """By name: the mesh of each scene, and what habitat-sim opens."""
    kind = f"a mesh file, a folder or a *{CONFIG}"
    path, dataset = user_path(root, "root", kind), None
    if not path.exists():
        raise ValueError(f"root must be {kind}, got {root!r}")
    if scenes is not None and (isinstance(scenes, str) or not scenes):
        raise ValueError(f"scenes must be a list of names, got {scenes!r}")
    if path.name.endswith(CONFIG):
        if scenes is None:
            raise ValueError(f"{root}: scenes must name mesh files relative to this file")
        dataset, meshes = str(path), [path.parent / scene for scene in scenes]
    elif path.is_dir():
        found = {mesh.stem: mesh for mesh in sorted(path.iterdir()) if suffix_of(mesh) in MESHES}
        missing = [name for name in scenes or () if name not in found]
        if missing or not found:
            raise ValueError(f"{root} has no meshes of {missing or 'any scene'}; it has {[*found]}")
        meshes = [found[name] for name in scenes or found]
    else:
        meshes = [path]
    for mesh in meshes:
        if not mesh.is_file():
            raise ValueError(f"{mesh} does not exist")
    return {mesh.stem: (mesh, SceneFiles(str(mesh), dataset)) for mesh in meshes}


class OnOneThread:
    """A simulator made when first needed, always called by the same thread of this process.

    Graphics contexts belong to the thread that made them, and a forked child has none.
    """

    def __init__(self, make: Callable[[], Any]):
        self._make = make
        self._owner: int | None = None

    def call(self, method: str, *arguments: Any) -> Any:
        if self._owner != os.getpid():
            self._owner = os.getpid()
            self._thread = ThreadPoolExecutor(1)
            self._made = self._thread.submit(self._make)
        return self._thread.submit(self._run, method, arguments).result()

    def _run(self, method: str, arguments: tuple) -> Any:
        return getattr(self._made.result(), method)(*arguments)


class HabitatViews:
    """Pictures from head height, as habitat-sim draws them."""

    def __init__(self, scene: Scene, make: Callable[[], Cameras]):
        self._scene = scene
        self._cameras = OnOneThread(make)
        self._labels = ViewCache(scene)
        self._seen = lru_cache(maxsize=KEPT_VIEWS)(self._look)

    def view(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        """Colours (128, 128, 3) uint8 and depth (128, 128, 1) float32 in units of 10 m."""
        colour, depth = self._seen(_node(self._scene, node), _heading(heading))
        return colour.copy(), depth.copy()

    def labels(self, node: int, heading: int) -> np.ndarray:
        """Category of each pixel, by the names of the parts of the mesh."""
        return self._labels.labels(node, heading)

    def _look(self, node: int, heading: int) -> tuple[np.ndarray, np.ndarray]:
        floor = self._scene.graph.positions[node]
        colour, depth = self._cameras.call("look", floor, heading)
        depth = np.where(depth > 0, np.minimum(depth, MAX_DEPTH), MAX_DEPTH)  # 0: nothing there
        return colour, (depth / MAX_DEPTH).astype(np.float32)[..., None]


class HabitatAcoustics:
    """Responses of the audio sensor at 16 kHz, of one second, without its delay.

    late  samples that it hears everything too late
    """

    def __init__(self, scene: Scene, make: Callable[[], Ears], late: int):
        self._scene, self._late = scene, late
        self._ears = OnOneThread(make)
        self._heard = lru_cache(maxsize=KEPT_RESPONSES)(self._hear)

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; a source has about amplitude 1 at 1 m."""
        ends = _node(self._scene, source), _node(self._scene, receiver)
        return self._heard(*ends, _heading(heading)).copy()

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        for source, ears in zip(sources, out, strict=True):
            ears[:] = self.rir(int(source), receiver, heading)

    def _hear(self, source: int, receiver: int, heading: int) -> np.ndarray:
        floors = self._scene.graph.positions
        heard = self._ears.call("hear", floors[source], floors[receiver], heading)
        first, out = max(-self._late, 0), np.zeros((2, RIR_SAMPLES), np.float32)
        kept = heard[:, max(self._late, 0) :][:, : RIR_SAMPLES - first]
        out[:, first : first + kept.shape[1]] = kept
        return out


def _node(scene: Scene, node: int) -> int:
    if not 0 <= node < len(scene.graph):
        raise ValueError(f"{scene.name} has nodes 0..{len(scene.graph) - 1}, got {node}")
    return int(node)


def _heading(heading: int) -> int:
    if heading not in range(N_HEADINGS):
        raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
    return int(heading)


def _check_frame(scene: Scene, views: HabitatViews, mesh: Path) -> None:
    """Raise if habitat-sim turned or moved the mesh otherwise than we did."""
    nodes = np.linspace(0, len(scene.graph) - 1, LOOKS).astype(int)
    off = []
    for number, node in enumerate(nodes):
        heading = number % N_HEADINGS
        theirs = views.view(int(node), heading)[1][..., 0] * MAX_DEPTH
        ours = render_rgbd(scene, scene.graph.heads[node], heading)[1]
        off.append(np.median(np.abs(theirs - ours)))
    if np.median(off) > FRAME_ERROR:
        raise HabitatError(
            f"{mesh}: habitat-sim sees surfaces {np.median(off):.1f} m from where the file has "
            "them: it turns or scales this mesh otherwise, so that pictures and nodes do not match"
        )
