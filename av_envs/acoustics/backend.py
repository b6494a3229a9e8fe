"""Acoustic backends: binaural impulse responses of a scene, by one protocol.

A further backend is one module with a factory, called as `factory(scene, hrtf, **options)`,
that returns an `AcousticBackend`. It goes by its import path, `acoustics="module:factory"`, or
by a name of its own once it has a line in ACOUSTIC_BACKENDS.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import Any, Protocol

import numpy as np

from av_envs.acoustics.bank import ResponseBank, TraceConfig
from av_envs.acoustics.binaural import RIR_SAMPLES, binaural_response, ear_tables
from av_envs.plugins import is_import_path, load
from av_envs.scene import Scene

ACOUSTIC_BACKENDS = {"traced": "av_envs.acoustics.backend:traced_acoustics"}  # name: factory


class AcousticBackend(Protocol):
    """Binaural impulse responses between the nodes of one scene.

    Both methods are called from several threads at a time and return the same bits for the
    same arguments.
    """

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        """(2, 16000) float32, left ear first; a source has amplitude 1 at 1 m."""
        ...

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        ...


def acoustic_factory(
    name: str, options: Mapping[str, Any]
) -> Callable[[Scene, str], AcousticBackend]:
    """Function of a scene and a head that returns the backend with these options.

    name     one of ACOUSTIC_BACKENDS, or the import path "module:factory"
    options  keyword arguments of the factory; ValueError if it does not take them
    """
    path = ACOUSTIC_BACKENDS.get(name, name) if isinstance(name, str) else name
    if not is_import_path(path):
        raise ValueError(
            f"acoustics {name!r} does not exist; choose from {', '.join(ACOUSTIC_BACKENDS)} "
            "or an import path 'module:factory'"
        )
    factory = load(path, "acoustics")
    try:
        signature(factory).bind("scene", "hrtf", **options)
    except TypeError as error:
        raise ValueError(
            f"acoustics {name!r} cannot be called with a scene, a head and the options "
            f"{dict(options)}: {error}; it is {signature(factory)}"
        ) from error
    return partial(factory, **options)


class TracedAcoustics:
    """The built-in backend: responses traced on first use, rendered for a measured head."""

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


def traced_acoustics(scene: Scene, hrtf: str, tracer: str = "numba") -> TracedAcoustics:
    """The factory of the built-in backend; `tracer` see `TraceConfig`."""
    return TracedAcoustics(scene, TraceConfig(tracer=tracer), hrtf)
