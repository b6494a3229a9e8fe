"""Editions of the embedded corpus: the same classes and clips, synthesised in another way."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from av_envs.sound.synthesis.ambience import ambience
from av_envs.sound.synthesis.ensemble import music_in_motion
from av_envs.sound.synthesis.music import music
from av_envs.sound.synthesis.reading import read_aloud, reader
from av_envs.sound.synthesis.speakers import speaker
from av_envs.sound.synthesis.voice import talk

Maker = Callable[[int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Edition:
    """How the clips of the embedded corpus are made, each from its length in seconds.

    version  raise it whenever a sound changes, or old caches would keep playing
    voice    maker of the clips of a speaker, by its number
    """

    version: int
    voice: Callable[[int], Maker]
    music: Maker
    ambience: Maker


def _talker(index: int) -> Maker:
    return partial(talk, speaker(index))


def _reader(index: int) -> Maker:
    return partial(read_aloud, reader(index))


EDITIONS = {
    "embedded": Edition(5, _talker, music, ambience),
    "embedded-2": Edition(1, _reader, music_in_motion, ambience),
}
