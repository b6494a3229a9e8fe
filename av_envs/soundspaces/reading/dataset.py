"""A SoundSpaces 1.0 data set on disk, read without habitat or networkx."""

import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from av_envs.conventions import SAMPLE_RATE
from av_envs.soundspaces.errors import EmptyFileError, MissingPairError, UnreadableFileError
from av_envs.soundspaces.frames import alpha_of, floor_from_mesh
from av_envs.soundspaces.layout import SAMPLE_RATES, TASK_FOLDERS, find_layout
from av_envs.soundspaces.reading.episodes import NavigationEpisode, SeparationEpisode, read_episodes
from av_envs.soundspaces.reading.graph import NodeGraph, check_points, read_graph, read_points
from av_envs.soundspaces.reading.observations import StoredView, read_observations
from av_envs.soundspaces.reading.passive import PassiveExample, read_passive_examples
from av_envs.soundspaces.reading.rirs import Coverage, at_rate, coverage_of, read_response

MISSING = ("raise", "silence")
SILENCED = (MissingPairError, EmptyFileError, UnreadableFileError)


class SoundSpacesDataset:
    """The scenes, responses, pictures and episodes of one data set.

    root       folder of the tree, see `av_envs.soundspaces.layout`
    dataset    "mp3d" or "replica"
    missing    "raise": a response that is missing, empty or unreadable is an error;
               "silence": it is a second of zeros, as in SoundSpaces, and goes into `silenced`
    elsewhere  folders of parts that are not where they are looked for: rirs, metadata,
               observations, episodes, separation, passive
    """

    def __init__(
        self,
        root: Path | str,
        dataset: str = "mp3d",
        missing: str = "raise",
        **elsewhere: Path | str,
    ):
        if missing not in MISSING:
            raise ValueError(f"missing {missing!r} does not exist; choose from {MISSING}")
        self.layout = find_layout(root, dataset, **elsewhere)
        self.missing = missing
        self.silenced: dict[Path, str] = {}  # responses that were taken as silence, and why
        self._names = self.layout.scenes()
        self._opened: dict[str, SoundSpacesScene] = {}

    def __repr__(self) -> str:
        return f"SoundSpacesDataset({self.layout.dataset!r}, {len(self._names)} scenes)"

    def scenes(self) -> list[str]:
        """Names of all scenes with metadata, sorted."""
        return list(self._names)

    def scene(self, name: str) -> "SoundSpacesScene":
        """One scene, the same object at every call."""
        if name not in self._names:
            raise ValueError(f"no scene {name!r}; there is {', '.join(self._names)}")
        return self._opened.setdefault(name, SoundSpacesScene(self, name))

    def episodes(
        self, task: str, split: str, scene: str | None = None, version: str = "v1"
    ) -> Iterator[NavigationEpisode | SeparationEpisode]:
        """The episodes of a split, of all scenes or of one.

        task   "audionav", "semantic", "aaviss" (Move2Hear) or "aavidss" (its dynamic kin)
        split  the name of a folder, e.g. "val" or "train_731243episodes"; of those for separation
               "val" is enough where there is one "val_<number>episodes" only
        """
        if task in TASK_FOLDERS:
            path = self.layout.navigation_episodes(task, split, version)
        else:
            folder = self.layout.separation_split(split, version)
            path = self.layout.separation_episodes(folder, version)
        return read_episodes(path, task, self._names, lambda name: self.scene(name).graph, scene)

    def passive_examples(self, split: str, scene: str, version: str = "v1") -> list[PassiveExample]:
        """Poses and sources that passive separators are trained on."""
        return read_passive_examples(self.layout.passive_examples(split, scene, version), scene)


class SoundSpacesScene:
    """One scene of a data set. Nodes are numbered as in its files."""

    def __init__(self, dataset: SoundSpacesDataset, name: str):
        self.dataset, self.name = dataset, name
        self.layout = dataset.layout

    @cached_property
    def points(self) -> np.ndarray:
        """(N, 3) float64 metres in the world frame, on the floor: all of points.txt."""
        points = read_points(self.layout.points(self.name))
        return floor_from_mesh(points, self.layout.dataset)

    @cached_property
    def graph(self) -> NodeGraph:
        """The nodes that can be walked on, a part of the points, and the edges between them."""
        path = self.layout.graph(self.name)
        graph = read_graph(path)
        check_points(path, graph, self.points)
        return graph

    def rir(
        self, receiver: int, source: int, heading: int, rate: int | None = SAMPLE_RATE
    ) -> tuple[np.ndarray, int]:
        """The response (2, n) float32, left ear first, and its sample rate in Hz.

        heading  of the receiver, quarter turns from east
        rate     Hz that it is resampled to; None: as it is on disk
        """
        path = self.layout.rir(self.name, alpha_of(heading), receiver, source)
        try:
            samples, found = read_response(path)
        except SILENCED as error:
            return self._silence(error, rate)
        return (samples, found) if rate is None else (at_rate(samples, found, rate), rate)

    def coverage(self, read: bool = False) -> Coverage:
        """Which pairs of nodes have a response; with `read`, whether each can be read, too."""
        return coverage_of(self.layout, self.name, self.graph.nodes, read)

    def observations(self) -> dict[tuple[int, int], StoredView]:
        """The pictures by node and heading, as they were stored."""
        return read_observations(self.layout.pictures(self.name))

    def _silence(
        self, error: MissingPairError | EmptyFileError | UnreadableFileError, rate: int | None
    ) -> tuple[np.ndarray, int]:
        dataset = self.dataset
        if dataset.missing == "raise":
            raise error
        if not dataset.silenced:
            warnings.warn(f"{error}; taken as silence, and so are others", stacklevel=3)
        dataset.silenced[error.path] = str(error)
        rate = SAMPLE_RATES[self.layout.dataset] if rate is None else rate
        return np.zeros((2, rate), np.float32), rate
