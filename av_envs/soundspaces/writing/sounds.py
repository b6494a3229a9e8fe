"""Folders of dry sound: 16-bit wav files, named after their classes."""

import io
import json

import numpy as np
from scipy.io import wavfile

from av_envs.sound import CLIP_RMS, SAMPLE_RATE
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.files import has_size, on_disk
from av_envs.soundspaces.writing.projects import PROJECTS, class_names, open_sounds, sound_name
from av_envs.whole_files import write_whole

# Of a clip, in steps of 16 bits, as in the papers: their code rounds what arrives at an ear to
# 16 bits, and what is louder than that wraps around. On a source, sound grows threefold.
RMS = 400
HEADER_BYTES = 44
NOTE = """\
These folders have the names that the code of the papers looks for. What they hold is not what
the papers used: it comes from the corpus {sounds!r}. `classes.json` has the labels of the classes.
"""

Clip = tuple[str, str, str, int]  # project, split, class of the corpus, number


def clips_of(project: str, sounds: str) -> list[Clip]:
    """Every clip that a project plays."""
    corpus = open_sounds(project, sounds)
    return [
        (project, split, name, number)
        for split in PROJECTS[project].seconds | PROJECTS[project].clips
        for name in corpus.classes
        for number in range(len(corpus.clips(split, name)))
    ]


def clip_bytes(clip: Clip, sounds: str) -> int:
    """Disk usage in bytes of the files of a clip."""
    return sum(on_disk(size) for _, size, _ in _files(clip, sounds))


def is_complete(export: Export, clip: Clip, sounds: str) -> bool:
    """Whether all files of a clip are there."""
    return all(has_size(export.root / path, size) for path, size, _ in _files(clip, sounds))


def write_clip(export: Export, clip: Clip, sounds: str) -> None:
    """The files of a clip that are missing."""
    project, split, name, number = clip
    corpus = open_sounds(project, sounds)
    samples = corpus.samples(corpus.clips(split, name)[number])
    for path, size, part in _files(clip, sounds):
        if not has_size(export.root / path, size):
            write_whole(export.root / path, sound_file(samples[part]))


def sound_file(samples: np.ndarray) -> bytes:
    """A wav file of 16-bit integers; samples (n,) float32 of RMS CLIP_RMS."""
    file = io.BytesIO()
    wavfile.write(file, SAMPLE_RATE, np.round(samples * (RMS / CLIP_RMS)).astype(np.int16))
    return file.getvalue()


def write_notes(export: Export, project: str, sounds: str) -> None:
    """The labels of the classes beside the folders of a project, and a word on what they hold."""
    folder = export.root / next(iter(PROJECTS[project].seconds.values()))
    names, labels = class_names(project, sounds)
    table = json.dumps(dict(zip(names, labels, strict=True)), indent=1)
    write_whole(folder.parent / "classes.json", table.encode())
    write_whole(folder.parent / "README.txt", NOTE.format(sounds=sounds).encode())


def _files(clip: Clip, sounds: str) -> list[tuple[str, int, slice]]:
    """Path below the root, size and samples of every file made of a clip."""
    project, split, name, number = clip
    corpus, found = open_sounds(project, sounds), []
    called = class_names(project, sounds)[0][corpus.classes.index(name)]
    n_seconds = corpus.n_seconds(corpus.clips(split, name)[number])
    folder = PROJECTS[project].clips.get(split)
    if folder is not None:
        size = HEADER_BYTES + 2 * SAMPLE_RATE * n_seconds
        found.append((f"{folder}/{sound_name(called, split, number)}.wav", size, slice(None)))
    folder = PROJECTS[project].seconds.get(split)
    for second in range(n_seconds if folder is not None else 0):
        path = f"{folder}/{sound_name(called, split, number, second)}.wav"
        part = slice(second * SAMPLE_RATE, (second + 1) * SAMPLE_RATE)
        found.append((path, HEADER_BYTES + 2 * SAMPLE_RATE, part))
    return found
