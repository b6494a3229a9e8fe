"""The `Corpus` protocol, one-second windows of clips, and a cache of clips in memory."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol

import numpy as np

from av_envs.conventions import SAMPLE_RATE

CLIP_RMS = 0.06  # full scale; every clip of every corpus is this loud
SPLITS = ("train", "val", "test")
KNEE = 0.5  # full scale; peaks above it are rounded off and never reach 1
LISTED = 120  # names in an error message
MOST_LIMITING = 3.0  # more gain than this against rounded peaks would spoil a clip


class Corpus(Protocol):
    """Clips of sound, sorted into classes and splits.

    classes         names of all classes; the label of a class is its index here
    target_classes  those that may be what a listener looks for; the rest only distract
    """

    classes: tuple[str, ...]
    target_classes: tuple[str, ...]

    def clips(self, split: str, class_name: str) -> tuple[str, ...]:
        """Names of the clips of one class in one of SPLITS; no clip is in two splits."""
        ...

    def samples(self, clip: str) -> np.ndarray:
        """(n,) float32, full scale, read-only: whole seconds, RMS CLIP_RMS, mean 0."""
        ...

    def n_seconds(self, clip: str) -> int:
        """Length of that clip in whole seconds."""
        ...

    def window(self, clip: str, k: int, out: np.ndarray) -> None:
        """Write `window(samples(clip), k)`, (32000,) float32; no more need be read of the clip."""
        ...


def seconds(samples: np.ndarray) -> int:
    """Length of a clip in whole seconds."""
    return len(samples) // SAMPLE_RATE


def second(samples: np.ndarray, k: int) -> np.ndarray:
    """(16000,) second number `k` of a clip that plays in a loop; any integer `k`.

    samples  (n,) a whole number of seconds; the result is a view of it
    """
    start = k % seconds(samples) * SAMPLE_RATE
    return samples[start : start + SAMPLE_RATE]


def window(samples: np.ndarray, k: int) -> np.ndarray:
    """(32000,) second `k - 1` followed by second `k` of a clip that plays in a loop.

    What a room with up to one second of reverberation still holds while second `k` sounds.
    """
    k = k % seconds(samples)
    if k > 0:
        return samples[(k - 1) * SAMPLE_RATE : (k + 1) * SAMPLE_RATE]
    return np.concatenate([second(samples, -1), second(samples, 0)])


def root_mean_square(samples: np.ndarray) -> float:
    """Full scale, over all samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def normalised(samples: np.ndarray) -> np.ndarray:
    """(n,) float64 with mean 0 and RMS CLIP_RMS, every sample inside (-1, 1).

    samples  (n,) float, any scale, not silent

    Peaks above KNEE are rounded off, so a clip of a few sharp clicks keeps its loudness.
    """
    centred = samples - np.mean(samples, dtype=np.float64)
    loudness = root_mean_square(centred)
    if loudness <= 1e-9:
        raise ValueError("is silent where it would be played")
    first_gain = gain = CLIP_RMS / loudness
    while gain < MOST_LIMITING * first_gain:
        limited = _rounded_off(centred * gain)
        error = CLIP_RMS / root_mean_square(limited)
        if abs(error - 1) < 1e-6:
            return limited
        gain *= error
    raise ValueError(f"is a few clicks in silence: RMS {CLIP_RMS} would need peaks far above 1")


def _rounded_off(samples: np.ndarray) -> np.ndarray:
    loud = np.abs(samples) > KNEE
    if loud.any():
        room = 0.98 - KNEE
        excess = (np.abs(samples[loud]) - KNEE) / room
        samples[loud] = np.sign(samples[loud]) * (KNEE + room * np.tanh(excess))
    return samples


def check_choice(kind: str, name: str, valid: Sequence[str]) -> None:
    """Raise a ValueError that lists the valid names (at most LISTED) unless `name` is one."""
    if name not in valid:
        rest = f", ... ({len(valid)} in all)" if len(valid) > LISTED else ""
        raise ValueError(f"unknown {kind} {name!r}; valid: {', '.join(valid[:LISTED])}{rest}")


class RecentClips:
    """Least-recently-used cache of clips.

    Any thread may ask for one.

    capacity  how many samples are kept in all, 4 bytes each; the latest clip always is
    """

    _one_at_a_time = Lock()  # of the class, so that a corpus can be copied

    def __init__(self, capacity: int = 8_000_000):
        self.capacity = capacity
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._n_samples = 0

    def __reduce__(self) -> tuple:
        """A copy has read nothing yet."""
        return type(self), (self.capacity,)

    def get(self, clip: str, read: Callable[[str], np.ndarray]) -> np.ndarray:
        """The clip as a read-only array, from `read(clip)` if it is not among the kept."""
        with self._one_at_a_time:
            return self._get(clip, read)

    def _get(self, clip: str, read: Callable[[str], np.ndarray]) -> np.ndarray:
        samples = self._kept.get(clip)
        if samples is not None:
            self._kept.move_to_end(clip)
            return samples
        samples = read(clip)
        samples.flags.writeable = False
        self._kept[clip] = samples
        self._n_samples += len(samples)
        while self._n_samples > self.capacity and len(self._kept) > 1:
            self._n_samples -= len(self._kept.popitem(last=False)[1])
        return samples
