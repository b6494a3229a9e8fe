"""Writing the folder of clips that `open_corpus` reads, out of a real corpus."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile

from av_envs.paths import user_path
from av_envs.progress import Bar, progress_bar
from av_envs.sound.clips import SAMPLE_RATE, SPLITS, check_choice
from av_envs.sound.description import Description, read_description
from av_envs.sound.importing.cutting import Sounding, cut, read_prepared, repeated
from av_envs.sound.importing.division import divided, divided_clips, duration
from av_envs.sound.importing.layouts import LAYOUTS, Recording

DIVISIONS = ("recordings", "clips")
DRAFT = ".importing"  # folder inside the new corpus, until everything is there
LISTED = 50  # faults in an error message
PAPER_DISTRACTOR = "esc"  # ambience is never a target in the papers
REPEATED = ("esc10", "esc50")  # five seconds each, repeated as in the paper

Clip = tuple[list[str], np.ndarray]  # names of the recordings in it, and its samples


@dataclass(frozen=True)
class Import:
    """Options of an import.

    seconds      length of a clip; those of `papers` keep their own
    merge        one class of that name instead of the classes of the corpus
    distractors  classes that may only distract; None: "esc" of `papers`, else none
    divide       what train, val and test do not share: "recordings", or just "clips", as in the
                 paper, where neighbouring clips may be cut from one recording
    keep_pauses  clips may be silent for a while, as in the paper
    skip         leave out what cannot be used instead of refusing the corpus
    min_minutes  leave out classes with less sound
    max_classes  keep only so many, the first ones
    """

    kind: str
    seconds: int = 20
    merge: str | None = None
    distractors: tuple[str, ...] | None = None
    divide: str = "recordings"
    keep_pauses: bool = False
    skip: bool = False
    min_minutes: float = 0.0
    max_classes: int | None = None

    def __post_init__(self):
        check_choice("kind of corpus", self.kind, tuple(LAYOUTS))
        check_choice("division", self.divide, DIVISIONS)
        if self.kind == "papers" and self.divide != "recordings":
            raise ValueError("the clips of the papers are divided already")
        if self.seconds < 1:
            raise ValueError(f"a clip lasts whole seconds from 1 on, got {self.seconds!r}")


def import_corpus(source: str | Path, root: str | Path, plan: Import) -> list[str]:
    """Write the clips of `source` to root/split/class/number.flac and root/corpus.json.

    If `root` is such a folder already, classes are added to it; those that are there keep their
    labels. Returns what was left out and why, which is nothing without `plan.skip`.
    """
    source, root = user_path(source, "source"), user_path(root, "root")
    before = _description_in(root)
    chosen = _chosen(LAYOUTS[plan.kind](source), plan)
    known = sorted({one.class_name for one in chosen} & set(before.classes))
    if known:
        raise ValueError(f"{root} has the classes {', '.join(known)} already")
    draft = root / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    try:
        written, faults = _write_classes(draft, source, chosen, plan)
        if not written or (faults and not plan.skip):
            raise ValueError(_listed(f"cannot use {source} as {plan.kind}", faults))
        after = _described(before, written, plan)
        _move(draft, root, list(written))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    after.write(root)
    return faults


def _description_in(root: Path) -> Description:
    """Description of the existing folder."""
    before = read_description(root)
    if before is None:
        if root.exists() and any(root.iterdir()):
            raise ValueError(f"{root} is not empty and no imported corpus; choose another folder")
        return Description(())
    if not before.uncut:
        raise ValueError(f"{root} holds clips of another origin; choose another folder")
    return before


def _chosen(recordings: Sequence[Recording], plan: Import) -> list[Recording]:
    """The recordings of the classes that are wanted, under the names of their new classes."""
    classes = [list(some) for _, some in groupby(recordings, key=lambda one: one.class_name)]
    if plan.min_minutes:
        least = 60 * plan.min_minutes
        classes = [some for some in classes if sum(duration(one.path) for one in some) >= least]
        if not classes:
            raise ValueError(f"no class lasts {plan.min_minutes:g} minutes")
    chosen = [one for some in classes[: plan.max_classes] for one in some]
    if plan.merge is None:
        return chosen
    return [one._replace(class_name=plan.merge) for one in chosen]


def _write_classes(
    draft: Path, source: Path, recordings: list[Recording], plan: Import
) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Write all clips below `draft`; {class: {clip: the recordings in it}}, and what is wrong."""
    written = {}
    with progress_bar(total=len(recordings), unit="file") as bar:
        reader = _Reader(source, plan.keep_pauses, bar)
        for name in dict.fromkeys(one.class_name for one in recordings):
            of_class = [one for one in recordings if one.class_name == name]
            try:
                written[name] = _write_class(draft, of_class, plan, reader)
            except ValueError as error:
                reader.faults.append(str(error))
    return written, reader.faults


class _Reader:
    """Reads recordings, counts them, and collects what is wrong with them."""

    def __init__(self, source: Path, keep_pauses: bool, bar: Bar):
        self.faults: list[str] = []
        self._source, self._keep_pauses, self._bar = source, keep_pauses, bar

    def read(self, recordings: Sequence[Recording]) -> Iterator[Sounding]:
        for one in recordings:
            self._bar.update()
            try:
                samples = read_prepared(one.path, self._keep_pauses)
            except ValueError as error:
                self.faults.append(str(error))
            else:
                yield one.path.relative_to(self._source).as_posix(), samples


def _write_class(
    draft: Path, recordings: list[Recording], plan: Import, reader: _Reader
) -> dict[str, list[str]]:
    """Write the clips of one class below `draft`; {clip: the recordings in it}."""
    name, made = recordings[0].class_name, {}
    if plan.divide == "clips":
        in_a_row = _write(draft / name, _clips(reader.read(recordings), plan))
        for split, numbers in divided_clips(len(in_a_row), name).items():
            (draft / split / name).mkdir(parents=True, exist_ok=True)
            for i, k in enumerate(numbers):
                os.replace(draft / name / _file(k), draft / split / name / _file(i))
            made[split] = [in_a_row[k] for k in numbers]
    else:
        for split, some in divided(recordings).items():
            made[split] = _write(draft / split / name, _clips(reader.read(some), plan))
            if not made[split]:
                raise ValueError(f"class {name!r}: nothing for {split}")
    return {
        f"{split}/{name}/{_file(i)}": made_of
        for split, clips in made.items()
        for i, made_of in enumerate(clips)
    }


def _clips(soundings: Iterator[Sounding], plan: Import) -> Iterator[Clip]:
    if plan.kind == "papers":
        yield from (([name], samples) for name, samples in soundings)
    elif plan.kind in REPEATED:
        for name, samples in soundings:
            yield [name], repeated(samples, plan.seconds)
    else:
        yield from cut(soundings, plan.seconds)


def _write(folder: Path, clips: Iterator[Clip]) -> list[list[str]]:
    """Write clips as folder/0000.flac and so on; the recordings in each."""
    names = []
    for made_of, samples in clips:
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / _file(len(names)), samples, SAMPLE_RATE, subtype="PCM_16")
        names.append(made_of)
    return names


def _file(number: int) -> str:
    return f"{number:04d}.flac"


def _described(
    before: Description, written: dict[str, dict[str, list[str]]], plan: Import
) -> Description:
    """Content of corpus.json with the new classes."""
    classes = (*before.classes, *written)
    distractors = plan.distractors
    if distractors is None:
        is_theirs = plan.kind == "papers" and PAPER_DISTRACTOR in written
        distractors = (PAPER_DISTRACTOR,) if is_theirs else ()
    for name in distractors:
        check_choice("distractor class", name, classes)
    together = tuple(dict.fromkeys((*before.distractors, *distractors)))
    recordings = dict(before.recordings)
    for clips in written.values():
        recordings |= clips
    return Description(classes, together, uncut=True, recordings=recordings)


def _move(draft: Path, root: Path, classes: list[str]) -> None:
    for split in SPLITS:
        (root / split).mkdir(parents=True, exist_ok=True)
        for name in classes:
            os.replace(draft / split / name, root / split / name)


def _listed(what: str, faults: list[str]) -> str:
    rest = [f"... {len(faults)} in all"] if len(faults) > LISTED else []
    return "\n  ".join([f"{what}:", *faults[:LISTED], *rest])
