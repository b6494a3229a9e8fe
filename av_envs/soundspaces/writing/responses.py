"""The binaural responses between the nodes of a scene, a wav file for each pair and heading."""

import io
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from av_envs.acoustics import TracedAcoustics
from av_envs.conventions import N_HEADINGS, SAMPLE_RATE
from av_envs.scene import Scene
from av_envs.soundspaces.frames import alpha_of
from av_envs.soundspaces.layout import RESPONSE_NAME
from av_envs.soundspaces.writing.config import Export
from av_envs.soundspaces.writing.files import has_size
from av_envs.whole_files import write_whole


def wanted_pairs(export: Export, scene: Scene) -> np.ndarray:
    """(N, N) bool, receivers by sources, which responses are written."""
    if export.near is None:
        return np.ones((len(scene.graph),) * 2, bool)
    heads = scene.graph.heads
    return np.linalg.norm(heads[:, None] - heads, axis=-1) <= export.near


def missing_responses(export: Export, scene: Scene) -> np.ndarray:
    """(4, N, N) bool, by heading, receiver and source, which files are still to be written."""
    missing = np.repeat(wanted_pairs(export, scene)[None], N_HEADINGS, axis=0)
    for heading in range(N_HEADINGS):
        for receiver, source in _written(export, scene, heading):
            missing[heading, receiver, source] = False
    return missing


def _written(export: Export, scene: Scene, heading: int) -> Iterator[tuple[int, int]]:
    """Receiver and source of every file that is complete."""
    folder = export.layout.responses(scene.name, alpha_of(heading))
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            name = RESPONSE_NAME.fullmatch(entry.name)  # drafts come and go, these stay
            if name and (export.trimmed or entry.stat().st_size == response_bytes(export.rate)):
                receiver, source = map(int, name.groups())
                if max(receiver, source) < len(scene.graph):
                    yield receiver, source


def write_responses(export: Export, name: str, sources: np.ndarray) -> None:
    """Write the missing responses from these sources, on one core."""
    dwelling = export.open(name)
    scene, acoustics = dwelling.scene, dwelling.acoustics
    if isinstance(acoustics, TracedAcoustics):
        acoustics.bank.bake(sources, workers=1)  # else each is traced on all cores
    wanted = wanted_pairs(export, scene)
    for source in sources.tolist():
        for receiver in np.flatnonzero(wanted[:, source]).tolist():
            for heading in range(N_HEADINGS):
                path = export.layout.rir(scene.name, alpha_of(heading), receiver, source)
                if not _is_whole(export, path):
                    response = acoustics.rir(source, receiver, heading)
                    write_whole(path, response_file(response, export.rate, export.trimmed))


def _is_whole(export: Export, path: Path) -> bool:
    if export.trimmed:  # of any length, but never there in part
        return path.exists()
    return has_size(path, response_bytes(export.rate))


def response_file(response: np.ndarray, rate: int, trimmed: bool = False) -> bytes:
    """A wav file of floats.

    response  (2, n) float32 at 16 kHz

    At another rate the samples are smaller, so that a sound through it is as loud as before.
    """
    if trimmed:
        response = response[:, : np.flatnonzero(response.any(axis=0)).max(initial=0) + 1]
    if rate != SAMPLE_RATE:
        response = resample_poly(response, rate, SAMPLE_RATE, axis=1)
        response = (response * np.float32(SAMPLE_RATE / rate)).astype(np.float32)
    file = io.BytesIO()
    wavfile.write(file, rate, np.ascontiguousarray(response.T))
    return file.getvalue()


@lru_cache(maxsize=4)
def response_bytes(rate: int) -> int:
    """Size of a response file that is not trimmed."""
    return len(response_file(np.zeros((2, SAMPLE_RATE), np.float32), rate))
