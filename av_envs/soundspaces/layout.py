"""File layout of a SoundSpaces 1.0 tree.

    <root>/binaural_rirs/<dataset>/<scene>/<alpha>/<receiver>_<source>.wav
    <root>/metadata/<dataset>/<scene>/points.txt, graph.pkl
    <root>/scene_observations/<dataset>/<scene>.pkl
    <root>/datasets/<audionav or semantic_audionav>/<dataset>/<version>/<split>/<split>.json.gz
    <root>/active_datasets/<version>/<split>/<split>.json.gz
    <root>/passive_datasets/<version>/<split>/<scene>.pkl

Trees in use differ: everything may lie below `data` or `sound_spaces`, the pictures in
`scene_observations_new`, and the responses directly in <root>/<dataset>. `find_layout` knows
these variants; other places are given explicitly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from av_envs.paths import user_path
from av_envs.soundspaces.errors import MissingFileError
from av_envs.soundspaces.frames import ANGLES, SOURCE_HEIGHT

DATASETS = tuple(SOURCE_HEIGHT)
GRIDS = {"replica": 0.5, "mp3d": 1.0}  # m between nodes
SAMPLE_RATES = {"replica": 44_100, "mp3d": 16_000}  # Hz, of the responses as published
PARTS = ("rirs", "metadata", "observations", "episodes", "separation", "passive")
TASK_FOLDERS = {"audionav": "audionav", "semantic": "semantic_audionav"}  # below `episodes`

PREFIXES = ("", "data", "sound_spaces", "data/sound_spaces")  # where a tree may begin
RESPONSE_NAME = re.compile(r"(\d+)_(\d+)\.wav")  # receiver, source
_FOLDERS = {  # of each part, the first that exists counts; {} is the data set
    "rirs": ("binaural_rirs/{}", "{}"),
    "metadata": ("metadata/{}",),
    "observations": ("scene_observations/{}", "scene_observations_new/{}"),
    "episodes": ("datasets",),
    "separation": ("active_datasets",),
    "passive": ("passive_datasets",),
}


@dataclass(frozen=True)
class Layout:
    """The folders of one data set, whether they exist or not.

    rirs          <scene>/<alpha>/<receiver>_<source>.wav
    metadata      <scene>/points.txt, graph.pkl
    observations  <scene>.pkl
    episodes      <task>/<dataset>/<version>/<split>/<split>.json.gz
    separation    <version>/<split>/<split>.json.gz
    passive       <version>/<split>/<scene>.pkl
    """

    dataset: str
    rirs: Path
    metadata: Path
    observations: Path
    episodes: Path
    separation: Path
    passive: Path

    def scenes(self) -> list[str]:
        """Names of the scenes that have metadata, sorted."""
        return sorted(path.parent.name for path in self.metadata.glob("*/points.txt"))

    def points(self, scene: str) -> Path:
        return self.metadata / scene / "points.txt"

    def graph(self, scene: str) -> Path:
        return self.metadata / scene / "graph.pkl"

    def responses(self, scene: str, alpha: int) -> Path:
        """The folder of the responses that are heard facing alpha, see `frames`."""
        if alpha not in ANGLES:
            raise ValueError(f"alpha must be one of {ANGLES} degrees, got {alpha!r}")
        return self.rirs / scene / str(alpha)

    def rir(self, scene: str, alpha: int, receiver: int, source: int) -> Path:
        return self.responses(scene, alpha) / f"{receiver}_{source}.wav"

    def pictures(self, scene: str) -> Path:
        return self.observations / f"{scene}.pkl"

    def navigation_episodes(self, task: str, split: str, version: str = "v1") -> Path:
        """Of audio-visual navigation; `task` is one of TASK_FOLDERS."""
        folder = self.episodes / TASK_FOLDERS[task] / self.dataset / version
        return folder / split / f"{split}.json.gz"

    def separation_episodes(self, split: str, version: str = "v1") -> Path:
        return self.separation / version / split / f"{split}.json.gz"

    def separation_split(self, split: str, version: str = "v1") -> str:
        """The folder that a split means: "val" is "val_100episodes" if that is the only such one.

        ValueError where there are several.
        """
        top = self.separation / version
        if (top / split).exists():
            return split
        found = sorted(path.name for path in top.glob(f"{split}_*episodes") if path.is_dir())
        if len(found) > 1:
            raise ValueError(f"{top} has several splits {split!r}: {', '.join(found)}; name one")
        return found[0] if found else split

    def passive_examples(self, split: str, scene: str, version: str = "v1") -> Path:
        return self.passive / version / split / f"{scene}.pkl"


def content_file(episodes: Path, scene: str) -> Path:
    """Path of the episodes of one scene that belong to a <split>.json.gz."""
    return episodes.parent / "content" / f"{scene}.json.gz"


def standard_layout(root: Path | str, dataset: str) -> Layout:
    """The layout at the top of this page, used for writing."""
    _check_dataset(dataset)
    root = user_path(root, "root")
    folders = {part: root / names[0].format(dataset) for part, names in _FOLDERS.items()}
    return Layout(dataset, **folders)


def find_layout(root: Path | str, dataset: str, **elsewhere: Path | str) -> Layout:
    """The layout of a tree that exists.

    elsewhere  folders of the PARTS that are not where they are looked for

    There must be metadata; other parts are checked when they are read.
    """
    _check_dataset(dataset)
    for part in elsewhere:
        if part not in PARTS:
            raise ValueError(f"unknown part {part!r} of a tree; choose from {', '.join(PARTS)}")
    root = user_path(root, "root")
    if not root.is_dir():
        raise MissingFileError(root, "this is no folder; root must hold a SoundSpaces tree")
    folders = {}
    for part in PARTS:
        if elsewhere.get(part) is not None:
            folders[part] = user_path(elsewhere[part], part)
            if not folders[part].is_dir():
                raise MissingFileError(folders[part], f"this folder of {part} does not exist")
        else:
            folders[part] = _folder(part, root, dataset)
    layout = Layout(dataset, **folders)
    if not layout.scenes():
        looked = ", ".join(str(path) for path in _candidates("metadata", root, dataset))
        raise MissingFileError(
            root, f"no <scene>/points.txt of {dataset!r} in {looked}; name a folder of metadata"
        )
    return layout


def _candidates(part: str, root: Path, dataset: str) -> Iterable[Path]:
    for prefix in PREFIXES:
        for folder in _FOLDERS[part]:
            yield root / prefix / folder.format(dataset)


def _folder(part: str, root: Path, dataset: str) -> Path:
    """The first candidate that is what is looked for, else the standard one."""
    candidates = list(_candidates(part, root, dataset))
    for folder in candidates:
        if _holds(part, folder):
            return folder
    return candidates[0]


def _holds(part: str, folder: Path) -> bool:
    if part == "rirs":  # a plain <root>/<dataset> may be something else
        return any((folder / scene / "0").is_dir() for scene in _names(folder))
    return folder.is_dir()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _check_dataset(dataset: str) -> None:
    if dataset not in DATASETS:
        raise ValueError(f"unknown dataset {dataset!r}; choose from {', '.join(DATASETS)}")
