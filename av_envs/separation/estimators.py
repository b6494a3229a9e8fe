"""Plugged-in estimators: their protocol, how they are loaded, and the checks of an estimate."""

from typing import Protocol

import numpy as np

from av_envs import plugins
from av_envs.acoustics.spectrogram import N_FREQUENCIES

BUILT_IN = ("mixture", "agent")
N_FRAMES = 32  # of one second
LARGEST = 1e6  # magnitude; a second at full scale stays below 600


class Estimator(Protocol):
    """Something that separates the target second by second, as `estimator="module:Factory"`.

    `Factory()` takes no arguments. One estimator hears every second of an episode in order,
    so it may keep a memory; the same calls after `reset` must give the same estimates.
    """

    def reset(self) -> None:
        """Forget the last episode."""
        ...

    def estimate(self, mixture: np.ndarray, label: int) -> np.ndarray:
        """(512, 32) magnitude of the target's dry second, finite and not negative.

        mixture  (2, 512, 32) float32, linear magnitude at the left and the right ear
        label    class of the target
        """
        ...


def check_estimator_name(name: str) -> None:
    """Raise a ValueError unless `name` is built in or looks like an import path."""
    if name not in BUILT_IN and not plugins.is_import_path(name):
        raise ValueError(
            f"estimator {name!r} does not exist; choose from {', '.join(BUILT_IN)} "
            "or an import path 'module:Factory'"
        )


def load_estimator(path: str) -> Estimator:
    """A new estimator from the import path "module:Factory"."""
    return plugins.make(path, "estimator", ("reset", "estimate"))


def checked_estimate(estimate: np.ndarray, whose: str) -> np.ndarray:
    """The estimate as a new (512, 32) float32 array; a ValueError that starts with `whose`."""
    try:
        given = np.asarray(estimate)
    except ValueError as error:
        raise ValueError(f"{whose} is not an array: {error}") from error
    shape = (N_FREQUENCIES, N_FRAMES)
    if given.shape != shape or given.dtype.kind not in "fiu":
        raise ValueError(
            f"{whose} must be {shape} real magnitudes; got shape {given.shape} of {given.dtype}"
        )
    bad = ~((given >= 0) & (given <= LARGEST))
    if bad.any():
        frequency, frame = np.argwhere(bad)[0]
        raise ValueError(
            f"{whose} is {given[frequency, frame]} at frequency {frequency}, frame {frame} "
            f"({bad.sum()} such values); magnitudes lie in 0..{LARGEST:g}"
        )
    return given.astype(np.float32)
