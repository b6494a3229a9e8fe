"""Scenes of a SoundSpaces 1.0 tree as dwellings: `backend="soundspaces"` of both tasks.

Responses are the recorded ones, resampled to 16 kHz and truncated or padded to one second;
views are the pictures of scene_observations. The navigation graph is that of graph.pkl:
its largest part that can be walked in four headings, and walking distance is steps times grid,
as in SoundSpaces. Surfaces are not read: maps show a floor made of the nodes.

Heads are taken to be 1.5 m above the floor, as in Matterport3D; Replica's were recorded 5 cm
higher, and cameras of both stand at 1.25 m. Responses are as loud as they were recorded.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.paths import user_path
from av_envs.scene import SPLITS
from av_envs.soundspaces.acoustics import TreeAcoustics
from av_envs.soundspaces.errors import MissingFileError
from av_envs.soundspaces.floor import floor_scene
from av_envs.soundspaces.layout import GRIDS
from av_envs.soundspaces.reading.dataset import SoundSpacesDataset
from av_envs.soundspaces.reading.graph import steps_of
from av_envs.soundspaces.reading.observations import RecordedViews
from av_envs.soundspaces.reading.rirs import cut_or_padded
from av_envs.soundspaces.reading.splits import split_of
from av_envs.worlds.base import OPEN_AT_ONCE, Dwelling, NoViews

KEPT_RESPONSES = 2048  # of all scenes together, float32: 262 MB per process


class WalkReport(NamedTuple):
    """Parts of a scene's graph that cannot be walked in four headings.

    nodes    that are left, as the files number them
    slanted  edges that lead in none of the four headings
    doubled  edges that share start and heading with another one
    cut_off  nodes that cannot be reached from the largest part of the graph
    """

    nodes: np.ndarray
    slanted: int
    doubled: int
    cut_off: int


class SoundSpacesWorld:
    """The scenes of a tree that have responses.

    root            folder of the tree, see `av_envs.soundspaces.layout`
    dataset         "mp3d", whose grid is 1.0, or "replica", whose grid is 0.5
    scenes          names of the scenes of every split; None: those that `split_of` says
    missing         "raise" or "silence", see `SoundSpacesDataset`
    rirs, metadata, observations
                    folders that are not where they are looked for
    kept_responses  how many responses are kept in memory, 128 kB each
    """

    def __init__(
        self,
        *,
        grid: float,
        hrtf: str = "kemar",
        kind: str = "house",
        root: str | os.PathLike[str] | None = None,
        dataset: str = "mp3d",
        scenes: Sequence[str] | None = None,
        missing: str = "raise",
        kept_responses: int = KEPT_RESPONSES,
        **elsewhere: str | os.PathLike[str],
    ):
        tree = user_path(root, "root", "the folder of a SoundSpaces tree")
        if isinstance(kept_responses, bool) or not isinstance(kept_responses, int):
            raise ValueError(f"kept_responses must be a whole number, got {kept_responses!r}")
        self.dataset = SoundSpacesDataset(tree, dataset, missing, **elsewhere)
        if grid != GRIDS[dataset]:
            raise ValueError(f"grid must be {GRIDS[dataset]} with dataset={dataset!r}, got {grid}")
        if hrtf != "kemar":
            raise ValueError(f"hrtf {hrtf!r}: recorded responses have the ears they were made with")
        self._grid = float(grid)
        self._splits = {split: self._names(split, scenes) for split in SPLITS}
        self.open = lru_cache(maxsize=OPEN_AT_ONCE)(self._open)
        self._read = lru_cache(maxsize=max(kept_responses, 0))(self._read_response)

    def names(self, split: str) -> Sequence[str]:
        """Scenes of a split, sorted, or as they were named."""
        return self._splits[split]

    def report(self, name: str) -> WalkReport:
        """Report of the parts of a scene's graph that were left out."""
        graph = self.dataset.scene(name).graph
        steps = steps_of(graph)
        return WalkReport(graph.nodes[steps.rows], steps.slanted, steps.doubled, steps.cut_off)

    def _names(self, split: str, chosen: Sequence[str] | None) -> list[str]:
        layout = self.dataset.layout
        audible = [name for name in self.dataset.scenes() if layout.responses(name, 0).is_dir()]
        if not audible:
            raise MissingFileError(layout.rirs, "no <scene>/0 with responses of a scene is in here")
        if chosen is None:
            return [name for name in audible if split_of(name) == split]
        if isinstance(chosen, str) or not chosen:
            raise ValueError(f"scenes must be a list of names, got {chosen!r}")
        for name in chosen:
            if name not in audible:
                raise ValueError(
                    f"scene {name!r} has no responses in {layout.rirs}; "
                    f"there are those of {', '.join(audible)}"
                )
        return list(chosen)

    def _open(self, name: str) -> Dwelling:
        scene = self.dataset.scene(name)
        steps = steps_of(scene.graph)
        nodes = scene.graph.nodes[steps.rows]
        positions = scene.graph.positions[steps.rows]
        _check_grid(name, positions, steps.neighbours, self._grid)

        def read(receiver: int, source: int, heading: int) -> np.ndarray:
            return self._read(name, receiver, source, heading)

        return Dwelling(
            floor_scene(name, positions, steps.neighbours, self._grid),
            TreeAcoustics(read, nodes),
            self._views(name, nodes),
        )

    def _views(self, name: str, nodes: np.ndarray) -> RecordedViews | NoViews:
        path = self.dataset.layout.pictures(name)
        if path.is_file():
            return RecordedViews(path, name, nodes)
        return NoViews(
            f"{path} does not exist: nobody has rendered the pictures of {name!r}; "
            "give observations without 'rgb' and 'depth'"
        )

    def _read_response(self, name: str, receiver: int, source: int, heading: int) -> np.ndarray:
        samples, _ = self.dataset.scene(name).rir(receiver, source, heading)
        kept = cut_or_padded(samples, RIR_SAMPLES)
        kept.flags.writeable = False  # shared by all callers
        return kept


def _check_grid(name: str, positions: np.ndarray, neighbours: np.ndarray, grid: float) -> None:
    """Steps that are much longer or shorter than the grid tell that this is another data set."""
    row, heading = np.nonzero(neighbours >= 0)
    if len(row) == 0:
        raise ValueError(f"scene {name!r}: no step leads from a node of its graph to another")
    steps = positions[neighbours[row, heading]] - positions[row]
    length = float(np.median(np.linalg.norm(steps[:, :2], axis=1)))
    if abs(length - grid) > grid / 4:
        raise ValueError(f"scene {name!r}: steps are {length:.2f} m long, the grid is {grid} m")
