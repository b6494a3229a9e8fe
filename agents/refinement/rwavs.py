"""Recordings of RWAVS as refiners have them: the folders of AV-NeRF.

Liang et al., "AV-NeRF: Learning Neural Fields for Real-World Audio-Visual Scene Synthesis",
NeurIPS 2023. A folder of a scene holds

    source_syn_re.wav          what the loudspeaker played, one channel, 22,050 Hz
    binaural_syn_re.wav        what was recorded, two channels, as long
    transforms_scale_{split}.json
                               "camera_path": a list of {"file_path", "camera_to_world" (4, 4)},
                               places scaled to [-1, 1]
    feats_{split}.npz          optional: "names" and "rgb", "depth" (N, 512), features of frames

and the folder above them `position.json`, {scene: (x, y, z) of the source}. The data set keeps
the features as pickles, which are programs and are not read here: load them where you trust them,
and save them as npz.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from av_envs.acoustics.refined import EARS, POSE_FIELDS
from av_envs.options import check_choice

RATE = 22_050  # Hz
SECONDS = 1.0  # of a clip
SHORTEST = 0.5  # s: a clip at the end of a recording that has less is left out
SPLITS = ("train", "val")
VIEW = 1024  # features of a frame
ENVIRONMENTS = {  # of the data set, by the numbers of its scenes
    "office": (1, 2, 3, 4, 5),
    "house": (6, 7, 8),
    "apartment": (9, 10, 11),
    "outdoor": (12, 13),
}


class Clip(NamedTuple):
    """One second around a frame.

    second   of the frame in the recording
    dry      (22050,) float32 what was played
    heard    (2, 22050) float32 what was recorded; both zero after the end of the recording
    place    (2,) of the listener, scaled; heading (2,) where it looks, unit length
    source   (2,) of the loudspeaker, scaled
    view     (1024,) features of colours and depth, or None
    """

    second: int
    dry: np.ndarray
    heard: np.ndarray
    place: np.ndarray
    heading: np.ndarray
    source: np.ndarray
    view: np.ndarray | None

    @property
    def azimuth(self) -> float:
        """Radians from where the listener looks to the loudspeaker, counter-clockwise."""
        towards = self.source - self.place
        (x, y), (u, v) = self.heading, towards
        return float(np.arctan2(x * v - y * u, x * u + y * v))

    @property
    def pose(self) -> np.ndarray:
        """(12,) float32 the values of `POSE_FIELDS`; heights are not known and count as equal."""
        distance = max(float(np.linalg.norm(self.source - self.place)), 1e-3)
        told = (np.sin(self.azimuth), np.cos(self.azimuth), 0.0, np.log(distance))
        x, y = self.heading
        values = (*told, y, x, *self.place, 0.0, *self.source, 0.0)
        assert len(values) == len(POSE_FIELDS)
        return np.array(values, np.float32)


@dataclass(frozen=True)
class RwavsScene:
    """One recording.

    folder  of the scene; ValueError or FileNotFoundError with the file's name for what is damaged
    """

    folder: Path

    @cached_property
    def source(self) -> np.ndarray:
        """(2,) place of the loudspeaker."""
        path = self.folder.parent / "position.json"
        places = _json(path)
        if self.folder.name not in places:
            raise ValueError(f"{path}: has no scene {self.folder.name!r}")
        return np.asarray(places[self.folder.name], float)[:2]

    @cached_property
    def dry(self) -> np.ndarray:
        return _sound(self.folder / "source_syn_re.wav", 1)[0]

    @cached_property
    def heard(self) -> np.ndarray:
        path = self.folder / "binaural_syn_re.wav"
        heard = _sound(path, EARS)
        if heard.shape[1] != len(self.dry):
            raise ValueError(
                f"{path}: has {heard.shape[1]} samples, the source has {len(self.dry)}"
            )
        return heard

    def clips(self, split: str) -> list[Clip]:
        """Clips around the frames of a split, in order."""
        check_choice("split", split, SPLITS)
        path = self.folder / f"transforms_scale_{split}.json"
        try:
            frames = _json(path)["camera_path"]
            poses = [
                (Path(frame["file_path"]).stem, np.array(frame["camera_to_world"], float))
                for frame in frames
            ]
            seconds = [int(name) for name, _ in poses]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: is no list of frames with poses: {error}") from error
        views = self._views(split)
        clips = []
        for second, (name, pose) in sorted(zip(seconds, poses, strict=True), key=lambda x: x[0]):
            if pose.shape != (4, 4) or not np.isfinite(pose).all():
                raise ValueError(f"{path}: the pose of {name!r} is not (4, 4) finite numbers")
            found = self._clip(second, pose, views.get(name))
            if found is not None:
                clips.append(found)
        return clips

    def _clip(self, second: int, pose: np.ndarray, view: np.ndarray | None) -> Clip | None:
        """None where less than half a second is left."""
        start = round((second - SECONDS / 2) * RATE)
        stop = start + round(SECONDS * RATE)
        first, last = max(start, 0), min(stop, len(self.dry))
        if last - first < SHORTEST * RATE:
            return None
        behind = stop - start - (last - first)  # zeros, at the end
        dry = np.pad(self.dry[first:last], (0, behind))
        heard = np.pad(self.heard[:, first:last], ((0, 0), (0, behind)))
        heading = pose[:2, 2] / max(np.linalg.norm(pose[:2, 2]), 1e-9)
        return Clip(second, dry, heard, pose[:2, 3], heading, self.source, view)

    def _views(self, split: str) -> dict[str, np.ndarray]:
        path = self.folder / f"feats_{split}.npz"
        if not path.exists():
            return {}
        try:
            with np.load(path, allow_pickle=False) as kept:
                features = np.concatenate([kept["rgb"], kept["depth"]], axis=1).astype(np.float32)
                views = dict(zip(map(str, kept["names"]), features, strict=True))
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{path}: needs names, rgb and depth of frames: {error}") from error
        if features.shape[1] != VIEW:
            raise ValueError(f"{path}: has {features.shape[1]} features of a frame, not {VIEW}")
        return views


def scenes_in(folder: Path, environment: str = "all") -> list[str]:
    """Names of the recordings of an environment, key of ENVIRONMENTS, or of all that are there.

    Raises ValueError for one that `position.json` does not have or that has no folder.
    """
    check_choice("environment", environment, ("all", *ENVIRONMENTS))
    path = folder / "position.json"
    there = _json(path)
    names = list(map(str, ENVIRONMENTS.get(environment, there)))
    for name in names:
        if name not in there:
            raise ValueError(f"{path}: has no scene {name!r}, which is of the {environment}")
        if not (folder / name).is_dir():
            raise ValueError(f"{folder}: has no folder {name!r}, which {path.name} names")
    return names


def folds(scenes: list[str]) -> list[tuple[str, list[str]]]:
    """The paper's protocol in one environment: train on one scene, test on all others, in turn."""
    if len(scenes) < 2:
        raise ValueError(f"an environment needs two scenes at least, got {scenes}")
    return [(one, [other for other in scenes if other != one]) for one in scenes]


def _json(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: must be a JSON object")
    return found


def _sound(path: Path, channels: int) -> np.ndarray:
    """(channels, n) float32 at 22,050 Hz."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE or samples.shape[1] != channels:
        raise ValueError(
            f"{path}: has {samples.shape[1]} channels at {rate} Hz, wanted are {channels} at {RATE}"
        )
    return np.ascontiguousarray(samples.T)
