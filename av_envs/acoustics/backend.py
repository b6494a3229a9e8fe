"""Where impulse responses come from: one protocol, several engines."""

import os
from typing import Protocol

import numpy as np

from av_envs.acoustics.bank import ResponseBank, TraceConfig
from av_envs.acoustics.binaural import RIR_SAMPLES, binaural_response, ear_tables
from av_envs.scene import Scene


class AcousticBackend(Protocol):
    """Anything that knows how a scene sounds between two of its nodes."""

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; a source has amplitude 1 at 1 m."""
        ...


class TracedAcoustics:
    """The built-in engine: responses traced on first use, ears of a measured head."""

    def __init__(
        self,
        scene: Scene,
        config: TraceConfig | None = None,
        hrtf: str | os.PathLike[str] = "kemar",
    ):
        self.bank = ResponseBank(scene, config)
        self._ears = ear_tables(hrtf)
        self._n_nodes = len(scene.graph)
        self._hrtf = hrtf

    def __reduce__(self) -> tuple:
        return type(self), (self.bank.scene, self.bank.config, self._hrtf)

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        out = np.empty((2, RIR_SAMPLES), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        if not 0 <= receiver < self._n_nodes:
            raise ValueError(f"receiver must be a node in 0..{self._n_nodes - 1}, got {receiver}")
        for source, ears in zip(sources, out, strict=True):
            response = self.bank.row(source)[receiver]
            salt = int(source) * self._n_nodes + receiver
            binaural_response(response, heading, salt, self._ears, ears)
