"""Acoustic backend of recorded SoundSpaces responses."""

from collections.abc import Callable

import numpy as np

from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import N_HEADINGS

Read = Callable[[int, int, int], np.ndarray]  # receiver, source, heading -> (2, 16000) float32


class TreeAcoustics:
    """Responses as they are on disk, but at 16 kHz and cut or padded to one second.

    read   the response between two nodes as the files number them
    nodes  (N,) these numbers, in the order of ours
    """

    def __init__(self, read: Read, nodes: np.ndarray):
        self._read = read
        self._nodes = [int(node) for node in nodes]

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; at its recorded level."""
        out = np.empty((2, RIR_SAMPLES), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        if heading not in range(N_HEADINGS):
            raise ValueError(f"heading must be 0, 1, 2 or 3 quarter turns, got {heading!r}")
        here = self._number("receiver", receiver)
        for source, ears in zip(sources, out, strict=True):
            ears[:] = self._read(here, self._number("source", source), heading)

    def _number(self, what: str, node: int) -> int:
        if not 0 <= node < len(self._nodes):
            raise ValueError(f"{what} must be a node in 0..{len(self._nodes) - 1}, got {node}")
        return self._nodes[node]
