"""A corpus of your own recordings: a directory of sound files."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import NoReturn

import numpy as np

from av_envs.paths import suffix_of, user_path
from av_envs.sound.clips import LISTED, SPLITS, RecentClips, check_choice, seconds, window
from av_envs.sound.description import FILE_NAME, Description, read_description
from av_envs.sound.inspection import faults_of
from av_envs.sound.listing import Listing, files_below, folders_in
from av_envs.sound.preparation import prepared
from av_envs.sound_files import RECORDING, SUFFIXES, SoundFileError, read_sound

CLASS_MINIMUM = len(SPLITS)  # clips of a class that are divided among the splits

ClassOf = Callable[[PurePath], str | None]


def first_folder(path: PurePath) -> str | None:
    """The class of "dog/barks/1.wav" is "dog"; a file in no folder has none."""
    return path.parts[0] if len(path.parts) > 1 else None


class FolderCorpus:
    """Recordings in root/class/file or root/split/class/file; deeper folders are welcome.

    root         directory; wav, flac and ogg files of any rate, length and channel count
    distractors  names of classes that may only distract; None: those that corpus.json names
    class_of     class of a file from its path below root (below the split, if there are
                 split folders); None if it belongs to no class. For flat folders, say
                 `lambda path: path.name.split("-")[0]`.

    If the folders in root are exactly train, val and test, they are the splits. Otherwise
    the files of each class, sorted by path, are divided: the first 60 % train, then 20 %
    val and 20 % test, at least one each. Labels count the classes in the order of their
    names, or are those of corpus.json in root (see `Description`), which
    `python -m av_envs.sound import` writes. Everything that is wrong with the files is found
    on opening and reported in one error.
    """

    def __init__(
        self,
        root: str | Path,
        distractors: Sequence[str] | None = None,
        class_of: ClassOf = first_folder,
    ):
        self.root = user_path(root, "root")
        if not self.root.is_dir():
            raise ValueError(f"{self.root} is not a directory")
        described = read_description(self.root)
        if described is not None and described.recordings:
            self._clips = _as_listed(self.root, described)
        else:
            uncut = described is not None and described.uncut
            self._clips = _sorted_in(self.root, class_of, uncut)
        found = tuple(sorted({name for _, name in self._clips}))
        described = described or Description(found)
        self.classes, self._uncut = described.classes, described.uncut
        if tuple(sorted(self.classes)) != found:
            _raise_differing(self.root, set(self.classes) ^ set(found))
        distractors = described.distractors if distractors is None else distractors
        for name in distractors:
            check_choice("distractor class", name, self.classes)
        self.target_classes = tuple(name for name in self.classes if name not in distractors)
        if not self.target_classes:
            raise ValueError(f"{self.root}: every class is a distractor, no target is left")
        self._names = {clip for clips in self._clips.values() for clip in clips}
        self._recent = RecentClips()

    def clips(self, split: str, class_name: str) -> tuple[str, ...]:
        """Names of the clips of one class in one split: their paths below root."""
        check_choice("split", split, SPLITS)
        check_choice("class", class_name, self.classes)
        return self._clips[split, class_name]

    def samples(self, clip: str) -> np.ndarray:
        """(n,) float32, full scale, read-only, whole seconds; see `prepared`."""
        return self._recent.get(clip, self._read)

    def n_seconds(self, clip: str) -> int:
        """Length of that clip in whole seconds."""
        return seconds(self.samples(clip))

    def window(self, clip: str, k: int, out: np.ndarray) -> None:
        """Write second `k - 1` and second `k` of a looping clip, (32000,) float32, full scale."""
        out[:] = window(self.samples(clip), k)

    def _read(self, clip: str) -> np.ndarray:
        if clip not in self._names:
            check_choice("clip", clip, tuple(sorted(self._names)))
        try:
            return prepared(*read_sound(self.root / clip, RECORDING), keep_pauses=self._uncut)
        except SoundFileError:
            raise
        except ValueError as error:
            raise SoundFileError(self.root / clip, str(error)) from None


def _sorted_in(
    root: Path, class_of: ClassOf, uncut: bool
) -> dict[tuple[str, str], tuple[str, ...]]:
    """{(split, class): clips}, every split of every class filled, or one error about all faults."""
    has_splits = folders_in(root) == set(SPLITS)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    ignored: dict[str, list[str]] = defaultdict(list)
    listing = files_below(root)
    faulty = _faults_in(root, listing, uncut)
    faults = list(faulty.values())
    for path in listing.files:
        clip = path.relative_to(root)
        split = clip.parts[0] if has_splits and len(clip.parts) > 1 else ""
        class_name = class_of(clip.relative_to(split))
        if suffix_of(path) not in SUFFIXES:
            if class_of is first_folder and class_name is not None:
                ignored[class_name].append(clip.as_posix())
        elif class_name is None:
            faults.append(f"{clip}: belongs to no class; expected a folder per class")
        elif path not in faulty:
            found[split, class_name].append(clip.as_posix())
    clips = {key: tuple(paths) for key, paths in found.items()}
    clips = clips if has_splits else _divided(clips)
    faults = sorted(faults) + listing.faults + _gaps(clips, found, ignored)
    if faults or not clips:
        _raise_faults(root, faults or [f"no {', '.join(SUFFIXES)} file in it"])
    return clips


def _faults_in(root: Path, listing: Listing, uncut: bool) -> dict[Path, str]:
    """{sound file: its name and what is wrong with it}."""
    sounds = [path for path in listing.files if suffix_of(path) in SUFFIXES]
    faults = faults_of(root, sounds, uncut)
    return {path: f"{path.relative_to(root)}: {fault}" for path, fault in faults.items()}


def _raise_faults(root: Path, faults: Sequence[str]) -> NoReturn:
    listed = "\n  ".join(faults)
    raise ValueError(f"cannot use {root} as a corpus:\n  {listed}")


def _as_listed(root: Path, described: Description) -> dict[tuple[str, str], tuple[str, ...]]:
    """{(split, class): clips} of an imported corpus; they must be those that it lists."""
    listing = files_below(root)
    there = {path.relative_to(root).as_posix() for path in listing.files} - {FILE_NAME}
    if there != set(described.recordings):
        _raise_differing(root, there ^ set(described.recordings))
    clips = defaultdict(list)
    for clip in sorted(described.recordings):
        parts = PurePath(clip).parts
        if len(parts) < len(("split", "class", "file")) or parts[0] not in SPLITS:
            raise ValueError(f"{root / FILE_NAME}: the clip {clip!r} is in no folder split/class")
        clips[parts[:2]].append(clip)
    faults = [*_faults_in(root, listing, described.uncut).values(), *listing.faults]
    if faults:
        _raise_faults(root, faults)
    return {key: tuple(paths) for key, paths in clips.items()}


def _raise_differing(root: Path, names: set[str]) -> NoReturn:
    rest = f", ... ({len(names)} in all)" if len(names) > LISTED else ""
    told = ", ".join(sorted(names)[:LISTED])
    raise ValueError(f"{root / FILE_NAME} and the folders differ in: {told}{rest}")


def _divided(clips: dict[tuple[str, str], tuple[str, ...]]) -> dict:
    """Share the clips of each class among the splits; too small a class fills only the first."""
    divided = {}
    for (_, class_name), paths in clips.items():
        n_held_out = max(1, round(0.2 * len(paths)))
        bounds = (0, len(paths) - 2 * n_held_out, len(paths) - n_held_out, len(paths))
        for i, split in enumerate(SPLITS):
            if len(paths) >= CLASS_MINIMUM:
                divided[split, class_name] = paths[bounds[i] : bounds[i + 1]]
    return divided


def _gaps(clips: dict, found: dict, ignored: dict) -> list[str]:
    """Classes that lack clips, with the number they have and the files that were ignored."""
    gaps = []
    for class_name in sorted({name for _, name in found} | set(ignored)):
        missing = [split for split in SPLITS if (split, class_name) not in clips]
        if not missing:
            continue
        count = sum(len(paths) for (_, name), paths in found.items() if name == class_name)
        text = f"class {class_name!r}: nothing for {', '.join(missing)}; {count} usable sound files"
        if class_name in ignored:
            text += f", not sound files: {', '.join(ignored[class_name])}"
        gaps.append(text)
    return gaps
