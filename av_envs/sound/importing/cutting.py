"""From recordings to clips of equal length."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from av_envs.sound.clips import SAMPLE_RATE, seconds
from av_envs.sound.preparation import prepared
from av_envs.sound_files import RECORDING, SoundFileError, read_sound

SHORTEST = 0.1  # s; a shorter recording is no sound of anything

Sounding = tuple[str, np.ndarray]  # of a recording: its name and its samples


def read_prepared(path: Path, keep_pauses: bool) -> np.ndarray:
    """(n,) float32, whole seconds, see `prepared`; of a file that can be used, or its error."""
    try:
        recording, rate = read_sound(path, RECORDING)
        if len(recording) < SHORTEST * rate:
            raise ValueError(f"lasts {len(recording) / rate:.3f} s, {SHORTEST} are needed")
        return prepared(recording, rate, keep_pauses)
    except SoundFileError:
        raise
    except ValueError as error:
        raise SoundFileError(path, str(error)) from None


def cut(soundings: Iterable[Sounding], n_seconds: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Clips of `n_seconds` out of recordings laid end to end, with the names of what is in them.

    What is left at the end is dropped; if it is all there is, it is repeated to one clip.
    """
    line, names = np.zeros(0, np.float32), []  # samples, and the recording of each second
    n_clips = 0
    for name, samples in soundings:
        line, names = np.concatenate([line, samples]), names + [name] * seconds(samples)
        while len(names) >= n_seconds:
            clip, line = np.split(line, [n_seconds * SAMPLE_RATE])
            yield list(dict.fromkeys(names[:n_seconds])), clip
            names, n_clips = names[n_seconds:], n_clips + 1
    if n_clips == 0 and names:
        yield list(dict.fromkeys(names)), repeated(line, n_seconds)


def repeated(samples: np.ndarray, n_seconds: int) -> np.ndarray:
    """(n_seconds * 16000,) float32, a shorter sound over and over, a longer one cut off."""
    return np.resize(samples, n_seconds * SAMPLE_RATE)
