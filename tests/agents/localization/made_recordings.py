"""A small folder laid out as DCASE 2020 Task 3: plane waves of noise in ambisonics."""

from pathlib import Path

import numpy as np

from av_envs.agents.localization.arrays import foa_gains
from av_envs.agents.localization.dcase import (
    Name,
    Rows,
    metadata_path,
    sound_path,
    write_metadata,
    write_recording,
)
from av_envs.agents.localization.directions import unit_vectors

FRAME = 2400  # samples of 100 ms


def made_recording(folder: Path, name: Name, seconds: int = 2) -> Rows:
    """Write a recording with one source that sounds in two of every three frames; its rows."""
    rng = np.random.default_rng([name.fold, *name.mixes])
    frames = 10 * seconds
    direction = unit_vectors(np.radians(rng.integers(-180, 180)), np.radians(rng.integers(-60, 60)))
    on = np.arange(frames)[(np.arange(frames) + rng.integers(3)) % 3 > 0]
    signals = 1e-4 * rng.standard_normal((4, frames * FRAME))
    wave = 0.1 * rng.standard_normal((frames, FRAME)) * np.isin(np.arange(frames), on)[:, None]
    signals += foa_gains(direction)[:, None] * wave.ravel()
    write_recording(sound_path(folder, "foa", name), "foa", np.clip(signals, -1, 1))
    n = len(on)
    rows = Rows(on, np.full(n, name.mixes[0]), np.zeros(n, int), np.tile(direction, (n, 1)))
    write_metadata(metadata_path(folder, name), rows)
    return rows


def made_folder(folder: Path, of_train: int = 1) -> Path:
    """One recording for each fold, or more of the training folds."""
    for fold in range(1, 7):
        for mix in range(1, 1 + (of_train if fold > 2 else 1)):
            made_recording(folder, Name(fold, 1, (mix,), 1))
    return folder
