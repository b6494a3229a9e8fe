"""Directory layouts of real corpora.

Every layout is a function of a directory; it returns the recordings class by class, classes in
the order of their labels, each class sorted as its splits will be.
"""

import csv
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from av_envs.sound.clips import SPLITS
from av_envs.sound.listing import sound_files

PAPER_SPLITS = {  # folder of the papers' audio: split
    "train_preprocessed": "train",
    "val_preprocessed": "val",
    "valUnheard_preprocessed": "val",
    "test_preprocessed": "test",
    "testUnheard_preprocessed": "test",
}
PAPER_CLIPS = "min20s_clips"  # beside 1s_chunks, which are cut out of the same clips
UTTERANCE = re.compile(r"(\d+)-(\d+)-(\d+)")  # reader, chapter, number
ESC_FILE = re.compile(r"(\d+-\d+)-[A-Z]")  # fold and source on Freesound, then the take
CHAPTERS = len(SPLITS)  # a reader of so many is divided by chapter


class Recording(NamedTuple):
    """One file of a corpus.

    class_name  what it is a sound of
    session     what it was cut out of; everything of one session stays in one split
    split       where the corpus itself puts it; None if it does not say
    """

    path: Path
    class_name: str
    session: str
    split: str | None = None


def librispeech(root: Path) -> list[Recording]:
    """A class per reader: `<reader>/<chapter>/` folders or all files in one.

    The session of an utterance is its chapter if the reader has at least three, else itself.
    Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books", ICASSP 2015.
    """
    named = []
    for path in sound_files(root):
        match = UTTERANCE.fullmatch(path.stem)
        if match is None:
            raise ValueError(f"{path}: a name of LibriSpeech is <reader>-<chapter>-<number>")
        named.append((tuple(map(int, match.groups())), path))
    recordings = []
    for reader, spoken in groupby(sorted(named), key=lambda one: one[0][0]):
        utterances = list(spoken)
        by_chapter = len({chapter for (_, chapter, _), _ in utterances}) >= CHAPTERS
        for (_, chapter, _), path in utterances:
            session = str(chapter) if by_chapter else path.stem
            recordings.append(Recording(path, str(reader), session))
    return recordings


def esc50(root: Path) -> list[Recording]:
    """A class per category, by meta/esc50.csv or by folders like "001 - Dog bark".

    The session of a take is its source on Freesound. Piczak, "ESC: dataset for environmental
    sound classification", ACM Multimedia 2015.
    """
    return _esc(root, only_ten=False)


def esc10(root: Path) -> list[Recording]:
    """The ten categories of ESC-50 that are easiest to tell apart."""
    return _esc(root, only_ten=True)


def music(root: Path) -> list[Recording]:
    """A class per folder (an instrument), by name; every file is a session of its own.

    Files that lie in `root` itself are of the class "music".
    """
    paths = [path.relative_to(root) for path in sound_files(root)]
    named = [(path.parts[0] if len(path.parts) > 1 else "music", path) for path in paths]
    return [Recording(root / path, name, path.as_posix()) for name, path in sorted(named)]


def papers(root: Path) -> list[Recording]:
    """The audio of the separation papers: the class of a clip is its name before the first "_".

    `root` holds train_preprocessed and so on, or min20s_clips, which holds them. Classes are in
    the order of numbers, then of names.
    """
    inner = root / PAPER_CLIPS if (root / PAPER_CLIPS).is_dir() else root
    recordings = []
    for folder, split in PAPER_SPLITS.items():
        if (inner / folder).is_dir():
            recordings += [
                Recording(path, _paper_class(path), path.name, split)
                for path in sound_files(inner / folder)
            ]
    if not recordings:
        raise ValueError(f"{inner} holds none of the folders {', '.join(PAPER_SPLITS)}")
    return sorted(recordings, key=lambda one: (_numbers_first(one.class_name), one.path))


LAYOUTS: dict[str, Callable[[Path], list[Recording]]] = {
    "librispeech": librispeech,
    "esc50": esc50,
    "esc10": esc10,
    "music": music,
    "papers": papers,
}


def _esc(root: Path, only_ten: bool) -> list[Recording]:
    table = root / "meta" / "esc50.csv"
    rows = _rows_of(table, only_ten) if table.is_file() else _rows_of_folders(root)
    recordings = []
    for _, class_name, path in sorted(rows):
        match = ESC_FILE.match(path.stem)
        if match is None:
            raise ValueError(f"{path}: a name of ESC-50 is <fold>-<source>-<take>")
        recordings.append(Recording(path, class_name, match[1]))
    return recordings


def _rows_of(table: Path, only_ten: bool) -> Iterator[tuple[int, str, Path]]:
    """Number of the category, its name, and the file, by the table that comes with ESC-50."""
    with table.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            try:
                if only_ten and line["esc10"] != "True":
                    continue
                number, name = int(line["target"]), line["category"]
                path = table.parent.parent / "audio" / line["filename"]
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{table} is not the table of ESC-50: {error!r}") from None
            if not path.is_file():
                raise ValueError(f"{table} names {path}, which does not exist")
            yield number, name, path


def _rows_of_folders(root: Path) -> Iterator[tuple[int, str, Path]]:
    for path in sound_files(root):
        folder = path.relative_to(root).parts[0]
        match = re.fullmatch(r"(\d+)[ _-]+(.+)", folder)
        if match is None:
            raise ValueError(f"{path}: expected a folder like '001 - Dog bark', or meta/esc50.csv")
        yield int(match[1]), re.sub(r"[^a-z0-9]+", "_", match[2].lower()), path


def _paper_class(path: Path) -> str:
    name, underscore, _ = path.stem.partition("_")
    if not (name and underscore):
        raise ValueError(f"{path}: the class must stand before the first '_' of the name")
    return name


def _numbers_first(name: str) -> tuple[bool, int, str]:
    return (not name.isdigit(), int(name) if name.isdigit() else 0, name)
