"""Acoustics that a learned refiner makes more real: any backend, with its responses refined.

    RefinedAcoustics(TracedAcoustics(scene), refiner, scene)

A refiner is an object of the protocol `Refiner`; nothing here knows how it has learned.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any, Protocol

import numpy as np
from scipy.signal import fftconvolve

from av_envs import plugins
from av_envs.acoustics.backend import AcousticBackend
from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.conventions import HEADING_STEPS, SAMPLE_RATE
from av_envs.options import check_choice
from av_envs.scene import Scene

EARS = 2
KEPT = 256  # refined responses in memory, 128 kB each
NEAREST = 0.1  # m: nearer than that, a distance has no logarithm worth telling
DOMAINS = ("rir", "audio")
POSE_FIELDS = (
    "sin azimuth", "cos azimuth", "elevation", "log distance", "sin heading", "cos heading",
    "listener x", "listener y", "listener z", "source x", "source y", "source z",
)  # fmt: skip
POSE_METRES = 10.0  # that are 1 in a pose


class Refiner(Protocol):
    """What makes simulated binaural signals more real.

    sample_rate  Hz, of the signals that it knows
    channels     of them
    """

    sample_rate: int
    channels: int

    def refine(self, signal: np.ndarray, pose: np.ndarray, dry: np.ndarray | None) -> np.ndarray:
        """(2, n) float32 of a signal (2, n) float32; the same bits for the same arguments.

        pose  (12,) see `pose_of`; NaN if the places are not known
        dry   (n,) what the source plays; None: `signal` is an impulse response
        """
        ...


def check_refiner(refiner: Any, whose: str = "refiner") -> None:
    """Raise ValueError unless it is one for two ears at 16 kHz."""
    plugins.check_methods(refiner, whose, ("refine",))
    rate, channels = getattr(refiner, "sample_rate", None), getattr(refiner, "channels", None)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{whose} refines signals of {rate} Hz, here they have {SAMPLE_RATE} Hz")
    if channels != EARS:
        raise ValueError(f"{whose} refines signals of {channels} channels, here they have {EARS}")


class RefinedAcoustics:
    """The responses of a backend, refined; an `AcousticBackend` itself.

    refiner  None: the responses stay as they are
    scene    whose nodes the backend numbers; None: the refiner is told no poses

    Each response is refined by itself and kept, so what is heard of several sources stays the
    sum of what is heard of each. Raises ValueError for a refiner of another rate or number of
    channels, and for responses that are not finite.
    """

    def __init__(
        self,
        backend: AcousticBackend,
        refiner: Refiner | None = None,
        scene: Scene | None = None,
        kept: int = KEPT,
    ):
        if refiner is not None:
            check_refiner(refiner)
        self.backend, self.refiner, self.scene, self._size = backend, refiner, scene, kept
        self._kept: OrderedDict[tuple[int, int, int], np.ndarray] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self) -> tuple:
        return type(self), (self.backend, self.refiner, self.scene, self._size)

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        return self._refined(int(source), int(receiver), int(heading)).copy()

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        if self.refiner is None:
            self.backend.rirs_into(sources, receiver, heading, out)
            return
        for source, ears in zip(sources, out, strict=True):
            ears[:] = self._refined(int(source), int(receiver), int(heading))

    def hear(
        self,
        dry: np.ndarray,
        sources: np.ndarray,
        receiver: int,
        heading: int,
        domain: str = "rir",
    ) -> np.ndarray:
        """(S, 2, n) float32: what is heard of each source, whose sum is what is heard.

        dry     (S, n) float32 at 16 kHz
        domain  of the refinement: "rir", before the dry sound is convolved, or "audio", after it;
                then a refiner knows the sound, and each source is refined before any sum
        """
        check_choice("domain", domain, DOMAINS)
        dry = np.atleast_2d(np.asarray(dry, np.float32))
        if not np.isfinite(dry).all():
            raise ValueError("the dry sound has samples that are not finite")
        responses = np.empty((len(dry), EARS, RIR_SAMPLES), np.float32)
        source_of = self if domain == "rir" else self.backend
        source_of.rirs_into(np.asarray(sources), receiver, heading, responses)
        heard = fftconvolve(dry[:, None], responses, axes=-1)[..., : dry.shape[-1]]
        heard = heard.astype(np.float32)
        if domain == "audio" and self.refiner is not None:
            for k, source in enumerate(sources):
                pose = self._pose(int(source), receiver, heading)
                heard[k] = checked_signal(self.refiner.refine(heard[k], pose, dry[k]), heard[k])
        return heard

    def _refined(self, source: int, receiver: int, heading: int) -> np.ndarray:
        key = source, receiver, heading
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        response = self.backend.rir(source, receiver, heading)
        if self.refiner is None:
            return response
        if not np.isfinite(response).all():
            raise ValueError(f"the response from node {source} to node {receiver} is not finite")
        pose = self._pose(source, receiver, heading)
        refined = checked_signal(self.refiner.refine(response, pose, None), response)
        with self._lock:
            self._kept[key] = refined
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return refined

    def _pose(self, source: int, receiver: int, heading: int) -> np.ndarray:
        if self.scene is None:
            return np.full(len(POSE_FIELDS), np.nan, np.float32)
        return pose_of(self.scene, source, receiver, heading)


def pose_of(scene: Scene, source: int, receiver: int, heading: int) -> np.ndarray:
    """(12,) float32, the values of POSE_FIELDS: azimuths to the left, places in units of 10 m."""
    heads = scene.graph.heads.astype(float)
    towards = heads[source] - heads[receiver]
    cos, sin = HEADING_STEPS[heading]
    forward, left = cos * towards[0] + sin * towards[1], cos * towards[1] - sin * towards[0]
    flat = max(np.hypot(forward, left), NEAREST)
    distance = max(float(np.linalg.norm(towards)), NEAREST)
    centre = heads.mean(axis=0)
    told = (left / flat, forward / flat, np.arctan2(towards[2], flat), np.log(distance), sin, cos)
    places = (heads[[receiver, source]] - centre).ravel() / POSE_METRES
    return np.array([*told, *places], np.float32)


def checked_signal(refined: np.ndarray, given: np.ndarray) -> np.ndarray:
    """What a refiner returned for (2, n); ValueError unless it has that shape and is finite."""
    refined = np.asarray(refined, np.float32)
    if refined.shape != given.shape:
        raise ValueError(f"the refiner returned the shape {refined.shape} for {given.shape}")
    if not np.isfinite(refined).all():
        raise ValueError("the refiner returned samples that are not finite")
    return refined
