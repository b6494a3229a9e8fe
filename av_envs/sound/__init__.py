"""Corpora of sound clips, and the one-second windows that tasks read from them.

`open_corpus("embedded")` and `open_corpus("embedded-2")` need no files;
`open_corpus("some/folder")` reads your own.
A corpus names its classes and clips and hands out samples: mono, 16 kHz, equally loud.
"""

from av_envs.sound.clips import (
    CLIP_RMS,
    SAMPLE_RATE,
    SPLITS,
    Corpus,
    second,
    seconds,
    window,
)
from av_envs.sound.corpora import open_corpus

__all__ = [
    "CLIP_RMS",
    "SAMPLE_RATE",
    "SPLITS",
    "Corpus",
    "open_corpus",
    "second",
    "seconds",
    "window",
]
