"""Validation of the sound files of a corpus before use.

Every file is read once completely. Valid files are remembered in the cache by name, size and
time, so that a large folder is checked only once.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np

from av_envs.cache.rows import RowFile
from av_envs.progress import progress_bar
from av_envs.sound.clips import CLIP_RMS, KNEE, MOST_LIMITING
from av_envs.sound.preparation import SILENCE, prepared
from av_envs.sound_files import RECORDING, SoundFileError, read_sound

VERSION = 1  # of the checks
READERS = 4  # threads at most
WORTH_KEEPING = 20_000_000  # bytes of files; fewer are read again in a moment
FRAMES_PER_SECOND = 100
SURE = 2.0  # times what `normalised` needs: pauses and a part of a second will yet be left out


def faults_of(root: Path, files: Sequence[Path], keep_pauses: bool) -> dict[Path, str]:
    """{file: why it cannot be a clip}, of sound files below `root`; see `prepared`."""
    stats = [path.stat() for path in files]
    kept = None
    if sum(stat.st_size for stat in stats) >= WORTH_KEEPING:
        kept = RowFile(_content_name(root, files, stats, keep_pauses), np.uint8, (1,), len(files))
    is_known = np.zeros(len(files), bool) if kept is None else kept.filled().copy()
    unknown = np.flatnonzero(~is_known)
    faults = {}
    with ThreadPoolExecutor(min(READERS, os.cpu_count() or 1)) as pool:
        found = pool.map(lambda row: _fault(files[row], keep_pauses), unknown)
        for row, fault in progress_bar(
            zip(unknown, found, strict=True), "checking sounds", total=len(unknown)
        ):
            if fault is not None:
                faults[files[row]] = fault
            elif kept is not None:
                kept.put(int(row), np.ones(1, np.uint8))
    return faults


def _content_name(
    root: Path, files: Sequence[Path], stats: Sequence[os.stat_result], keep_pauses: bool
) -> str:
    lines = [f"{VERSION} {keep_pauses} {root.resolve()}"]
    for path, stat in zip(files, stats, strict=True):
        lines.append(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}")
    return f"checked_sounds/{sha256(os.fsencode(chr(10).join(lines))).hexdigest()}"


def _fault(path: Path, keep_pauses: bool) -> str | None:
    """Reason why a sound file cannot be a clip; None if it can."""
    try:
        recording, rate = read_sound(path, RECORDING)
        if not _is_surely_playable(recording, rate):
            prepared(recording, rate, keep_pauses)
    except SoundFileError as error:
        return error.reason
    except ValueError as error:
        return str(error)
    return None


def _is_surely_playable(recording: np.ndarray, rate: int) -> bool:
    """Whether `prepared` will do, by a bound that is cheaper than doing it.

    Rounded peaks leave a sample at least the smaller of itself and KNEE. So `normalised` comes
    to CLIP_RMS if the energy below KNEE is enough at the greatest gain; within a short frame
    that is at least the frame's energy times the square of KNEE over its peak.
    """
    n_frames = len(recording) * FRAMES_PER_SECOND // rate
    if n_frames < FRAMES_PER_SECOND:
        return False
    length = rate // FRAMES_PER_SECOND
    mono = recording[:, 0] if recording.shape[1] == 1 else recording.mean(axis=1)
    frames = mono[: n_frames * length].reshape(n_frames, length) - mono.mean(dtype=np.float64)
    peaks = np.maximum(frames.max(axis=1), -frames.min(axis=1))
    if peaks.max() <= SILENCE:
        return False
    energies = np.einsum("ij,ij->i", frames, frames)
    loudness = np.sqrt(energies.sum() / frames.size)
    room = KNEE / (MOST_LIMITING * CLIP_RMS) * loudness
    below = energies * np.minimum(1, room / np.maximum(peaks, SILENCE)) ** 2
    return bool(below.sum() * MOST_LIMITING**2 >= SURE * energies.sum())
