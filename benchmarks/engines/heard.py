"""The acoustic engines that are compared: impulse responses between nodes of a scene."""

import importlib.util
import warnings
from functools import cached_property
from importlib.metadata import version
from typing import Protocol

import numpy as np

import av_envs
from av_envs.acoustics import Hrtf, load_hrtf
from av_envs.acoustics.bank import SourceTracer, TraceConfig
from av_envs.acoustics.binaural import (
    RIR_SAMPLES,
    EarTables,
    binaural_response,
    ear_tables,
    make_ear_tables,
)
from av_envs.conventions import BANDS_HZ, SAMPLE_RATE, SPEED_OF_SOUND
from av_envs.scene import Scene
from av_envs.soundspaces.rlr import LicenceNotice, RLRAcoustics, RLRConfig

TAP = 10  # of the impulse in the responses of headless ears
NAMES = ("native", "RLR", "pyroomacoustics")
MODULES = {"RLR": "rlr_audio_propagation", "pyroomacoustics": "pyroomacoustics"}
PACKAGES = {"RLR": "rlr-audio-propagation", "pyroomacoustics": "pyroomacoustics"}


class Engine(Protocol):
    """An acoustic engine in one scene."""

    def mono(self, source: int, receiver: int) -> np.ndarray:
        """(16000,) what a microphone hears that has no direction, amplitude 1 at 1 m."""
        ...

    def ears(self, source: int, receiver: int) -> np.ndarray | None:
        """(2, 16000) what a head hears that faces east; None if the engine has no head."""
        ...


def installed(name: str) -> str | None:
    """The version of an engine, or None if it is absent."""
    if name == "native":
        return av_envs.__version__
    return version(PACKAGES[name]) if importlib.util.find_spec(MODULES[name]) else None


def headless_ears() -> EarTables:
    """Ears without a head: the same unit impulse from everywhere."""
    directions = load_hrtf("kemar").directions
    responses = np.zeros((len(directions), 2, 96), np.float32)
    responses[:, :, TAP] = 1
    return make_ear_tables(Hrtf("headless", directions, responses, TAP))


class Native:
    """The built-in engine; nothing is read from or kept in its cache."""

    def __init__(self, scene: Scene, n_rays: int, seed: int = 0):
        self._tracer = SourceTracer(scene, TraceConfig(n_rays=n_rays, seed=seed))
        self._rows: dict[int, np.ndarray] = {}
        self._n_nodes = len(scene.graph)

    def row(self, source: int) -> np.ndarray:
        """(N,) compact responses from a node to all, on one thread."""
        if source not in self._rows:
            self._rows[source] = self._tracer.trace(source, workers=1)
        return self._rows[source]

    def mono(self, source: int, receiver: int) -> np.ndarray:
        return self._heard(source, receiver, self._headless_ears)[0]

    def ears(self, source: int, receiver: int) -> np.ndarray:
        return self._heard(source, receiver, ear_tables())

    def _heard(self, source: int, receiver: int, tables: EarTables) -> np.ndarray:
        salt = source * self._n_nodes + receiver
        return binaural_response(self.row(source)[receiver], 0, salt, tables)

    @cached_property
    def _headless_ears(self) -> EarTables:
        return headless_ears()


class RLR:
    """The engine of SoundSpaces 2.0, on one thread."""

    def __init__(self, scene: Scene, n_rays: int):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LicenceNotice)  # the table says so
            self._mono = RLRAcoustics(scene, RLRConfig(n_rays=n_rays, ears="mono"))
            self._ears = RLRAcoustics(scene, RLRConfig(n_rays=n_rays))

    def mono(self, source: int, receiver: int) -> np.ndarray:
        return self._mono.rir(source, receiver, 0)[0]

    def ears(self, source: int, receiver: int) -> np.ndarray:
        return self._ears.rir(source, receiver, 0)

    def draws(self, source: int, receiver: int, n: int) -> np.ndarray:
        """(n, 16000) with other random numbers each."""
        return self._mono.draws(source, receiver, 0, n)[:, 0]


class PyRoom:
    """pyroomacoustics: image sources up to the third order, then rays. Only boxes."""

    def __init__(self, scene: Scene, n_rays: int):
        self._scene, self._n_rays = scene, n_rays

    def mono(self, source: int, receiver: int) -> np.ndarray:
        import pyroomacoustics as pra

        pra.constants.set("c", SPEED_OF_SOUND)
        heads, bands = self._scene.graph.heads.astype(float), list(BANDS_HZ)
        surface = pra.Material(
            {"coeffs": self._scene.absorption[0].tolist(), "center_freqs": bands},
            {"coeffs": self._scene.scattering[0].tolist(), "center_freqs": bands},
        )
        room = pra.ShoeBox(
            self._scene.bounds[1].astype(float), fs=SAMPLE_RATE, materials=surface,
            max_order=3, ray_tracing=True, air_absorption=True, temperature=20, humidity=50,
        )  # fmt: skip
        room.set_ray_tracing(n_rays=self._n_rays, receiver_radius=0.3, time_thres=1.0)
        room.add_source(heads[source])
        room.add_microphone(heads[receiver])
        room.compute_rir()
        early = pra.constants.get("frac_delay_length") // 2
        heard = room.rir[0][0][early : early + RIR_SAMPLES]
        return np.pad(heard, (0, RIR_SAMPLES - len(heard))).astype(np.float32)

    def ears(self, source: int, receiver: int) -> None:
        return None


def open_engine(name: str, scene: Scene, rays: dict[str, int]) -> Engine | None:
    """An engine for a scene; None where it cannot do it or is not installed."""
    if installed(name) is None or (name == "pyroomacoustics" and scene.name != "shoebox"):
        return None
    return {"native": Native, "RLR": RLR, "pyroomacoustics": PyRoom}[name](scene, rays[name])
