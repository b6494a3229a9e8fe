"""Reader of binaural response files, and their coverage of node pairs."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.signal import resample_poly

from av_envs.sound_files import RESPONSE, EmptySoundError, SoundFileError, read_sound
from av_envs.soundspaces.errors import (
    EmptyFileError,
    MissingPairError,
    SoundSpacesError,
    UnreadableFileError,
)
from av_envs.soundspaces.frames import ANGLES
from av_envs.soundspaces.layout import RESPONSE_NAME, Layout

N_EARS = 2
TINY = 100  # bytes, that a file without a sample does not exceed


class Coverage(NamedTuple):
    """Which responses of a scene can be used; counts are of files, one per pair and angle.

    possible    pairs of nodes of the graph, a node with itself included, at four angles
    present     files of such pairs
    empty       of these, files that hold no sample
    unreadable  of these, files that cannot be read; None if not tried
    foreign     files of pairs that the graph does not know
    missing     for each angle of the folders, in degrees, pairs without a file
    faults      path and what is wrong with it, of the first few that are empty or unreadable
    """

    possible: int
    present: int
    empty: int
    unreadable: int | None
    foreign: int
    missing: dict[int, int]
    faults: tuple[str, ...]


def read_response(path: Path) -> tuple[np.ndarray, int]:
    """A response (2, n) float32, left ear first, and its sample rate in Hz; it may be silent."""
    if not path.exists():
        raise MissingPairError(path, "this response was not rendered or not downloaded")
    try:
        samples, rate = read_sound(path, RESPONSE)
    except EmptySoundError as error:
        raise EmptyFileError(path, error.reason) from None
    except SoundFileError as error:
        raise UnreadableFileError(path, error.reason) from None
    if samples.shape[1] != N_EARS:
        raise UnreadableFileError(path, f"must have two channels, has {samples.shape[1]}")
    return np.ascontiguousarray(samples.T), rate


def at_rate(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """The same response (2, n) float32 at another sample rate, by polyphase filtering.

    A response is a filter: with fewer samples a second each counts for more, so that a sound
    through it is as loud as before.
    """
    if rate == wanted:
        return samples
    return (resample_poly(samples, wanted, rate, axis=-1) * (rate / wanted)).astype(np.float32)


def cut_or_padded(samples: np.ndarray, n: int) -> np.ndarray:
    """The first n samples (2, n) float32, with zeros behind what is shorter."""
    out = np.zeros((N_EARS, n), np.float32)
    kept = samples[:, :n]
    out[:, : kept.shape[1]] = kept
    return out


def coverage_of(
    layout: Layout, scene: str, nodes: Iterable[int], read: bool = False, n_faults: int = 5
) -> Coverage:
    """Look through the files of a scene, at their names and sizes or, with `read`, at all."""
    known, faults = {int(node) for node in nodes}, []
    present = empty = unreadable = foreign = 0
    missing = {}
    for alpha in ANGLES:
        found = 0
        for name, size in _files(layout.responses(scene, alpha)):
            match = RESPONSE_NAME.fullmatch(name)
            if match is None or not {int(match[1]), int(match[2])} <= known:
                foreign += 1
                continue
            found += 1
            if not read and size > TINY:
                continue
            fault = _fault(layout.responses(scene, alpha) / name)
            empty += isinstance(fault, EmptyFileError)
            unreadable += isinstance(fault, UnreadableFileError)
            if fault is not None and len(faults) < n_faults:
                faults.append(str(fault))
        missing[alpha] = len(known) ** 2 - found
        present += found
    possible = len(ANGLES) * len(known) ** 2
    return Coverage(
        possible, present, empty, unreadable if read else None, foreign, missing, tuple(faults)
    )


def _files(folder: Path) -> list[tuple[str, int]]:
    """Names and sizes in bytes of the wav files in a folder, none if it does not exist."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        wavs = (entry for entry in entries if entry.name.endswith(".wav"))
        return sorted((entry.name, entry.stat().st_size) for entry in wavs)


def _fault(path: Path) -> SoundSpacesError | None:
    try:
        read_response(path)
    except SoundSpacesError as error:
        return error
    return None
