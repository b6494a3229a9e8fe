"""Opening a corpus by its name."""

import os
from collections.abc import Sequence

from av_envs.paths import user_path
from av_envs.sound.clips import Corpus

EMBEDDED = ("embedded", "embedded-2")  # the editions of the embedded corpus


def open_corpus(sounds: str | os.PathLike[str], distractors: Sequence[str] | None = None) -> Corpus:
    """The corpus called `sounds`: one of EMBEDDED, or the path of a directory of sound files.

    distractors  classes of a directory that may only distract; None: those that its
                 corpus.json names; embedded corpora have their own
    """
    if isinstance(sounds, str) and sounds in EMBEDDED:
        from av_envs.sound.embedded import EmbeddedCorpus  # only now: scipy.signal is slow

        return EmbeddedCorpus(edition=sounds)
    root = user_path(sounds, "sounds")
    if root.is_dir():
        from av_envs.sound.folder import FolderCorpus

        return FolderCorpus(root, distractors)
    listed = ", ".join(repr(name) for name in EMBEDDED)
    raise ValueError(f"unknown sounds {sounds!r}; valid: {listed} or the path of a directory")
