"""Sequences from the recordings in a folder laid out as DCASE 2020 Task 3, see `dcase.py`."""

from pathlib import Path

import numpy as np

from av_envs.agents.localization.dcase import (
    FORMATS,
    SPLITS,
    Name,
    metadata_path,
    read_metadata,
    read_recording,
    recordings_in,
    slots_of,
    sound_path,
)
from av_envs.agents.localization.features import FRAMES_PER_LABEL, features
from av_envs.agents.localization.sequences import Sequences, joined
from av_envs.agents.localization.takes import PER_SECOND
from av_envs.options import check_choice
from av_envs.whole_files import replacing


class Recordings:
    """Sequences of whole recordings, whose features are kept in files of their own.

    folder   laid out as DCASE 2020 Task 3
    form     foa or mic, of the sound files and the features
    tracks   most sources at a time
    seconds  of a sequence; recordings are cut to a whole number of them
    kept     where features are kept: they are computed on first use
    held     key of `dcase.SPLITS`, what is held out
    trains   whether batches will be drawn; without it the training folds may be missing

    Raises ValueError if folds are missing or a frame has more sources than tracks. In recordings
    nothing is known of the line of sight: all sources count as hidden.
    """

    def __init__(
        self,
        folder: Path,
        form: str,
        tracks: int,
        seconds: int,
        kept: Path,
        held: str = "val",
        trains: bool = True,
    ):
        check_choice("features of recordings", form, FORMATS)
        self.folder, self.form, self.tracks, self.kept = folder, form, tracks, kept
        self.length = seconds * PER_SECOND  # frames of a sequence
        self._train = recordings_in(folder, form, SPLITS["train"]) if trains else []
        self._held = recordings_in(folder, form, SPLITS[held])

    def batch(self, rng: np.random.Generator, size: int) -> Sequences:
        """Sequences from anywhere in random recordings of the training folds."""
        chosen = [self._train[k] for k in rng.integers(len(self._train), size=size)]
        return joined([self._cut(name, rng) for name in chosen])

    def held_out(self) -> list[Sequences]:
        """The recordings of the held-out folds in sequences that follow each other."""
        return [self._whole(name) for name in self._held]

    def _cut(self, name: Name, rng: np.random.Generator) -> Sequences:
        maps, direction, active = self._recording(name)
        first = int(rng.integers(len(active) - self.length + 1))
        part = slice(first, first + self.length)
        frames = slice(first * FRAMES_PER_LABEL, part.stop * FRAMES_PER_LABEL)
        cut = np.array(maps[:, frames])  # read from the file only now
        unknown = np.zeros_like(active[part])
        return Sequences(*(x[None] for x in (cut, direction[part], active[part], unknown)))

    def _whole(self, name: Name) -> Sequences:
        maps, direction, active = self._recording(name)
        n = len(active) // self.length
        cut = np.array(maps[:, : n * self.length * FRAMES_PER_LABEL])
        parts = (
            cut.reshape(len(cut), n, -1, cut.shape[-1]).swapaxes(0, 1),
            *(
                x[: n * self.length].reshape(n, self.length, *x.shape[1:])
                for x in (direction, active)
            ),
        )
        return Sequences(*parts, np.zeros_like(parts[-1]))

    def _recording(self, name: Name) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features, memory-mapped, and directions and activities of whole frames."""
        maps = self._features(name)
        length = maps.shape[1] // FRAMES_PER_LABEL
        if length < self.length:
            raise ValueError(
                f"{sound_path(self.folder, self.form, name)}: lasts {length / PER_SECOND:g} s, "
                f"a sequence {self.length / PER_SECOND:g} s"
            )
        path = metadata_path(self.folder, name)
        return (maps, *slots_of(read_metadata(path), length, self.tracks, path))

    def _features(self, name: Name) -> np.ndarray:
        path = self.kept / f"{self.form}-{name}.npy"
        if not path.exists():
            signals = read_recording(sound_path(self.folder, self.form, name), self.form)
            with replacing(path) as draft, draft.open("wb") as file:
                np.save(file, features(self.form, signals))
        return np.load(path, mmap_mode="r")
