"""Acoustics of the same scene, from cheap to what stands in for recordings.

| tier | content |
|---|---|
| T0 | the direct sound, or its way around corners and through walls: exact delays, 1/r |
| T1 | and image sources of two reflections, with one absorption for all bands |
| T2 | few rays: 256 per source |
| T3 | converged: 65,536 rays per source |
| T4 | T3 of other surfaces, through another loudspeaker, ears and microphones: `mismatch.py` |

T2 and T3 are one engine with more or fewer rays, and all tiers share the noise that carries a
decay, the head and the delays: what differs between two tiers is what they know of the energy.

    gymnasium.make("AVDynamicSep-v0", acoustics="av_envs.agents.refinement.tiers:tier_acoustics",
                   acoustics_options={"tier": "T2"})
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from av_envs.acoustics import AcousticBackend, TraceConfig, TracedAcoustics
from av_envs.acoustics.bank import SourceTracer
from av_envs.acoustics.binaural import RIR_SAMPLES, binaural_response, ear_tables
from av_envs.acoustics.response import N_BINS, N_GROUPS, N_SECTORS, RESPONSE, pack
from av_envs.acoustics.tracing.diffraction import add_diffraction
from av_envs.acoustics.tracing.image_sources import image_paths
from av_envs.agents.refinement.mismatch import MismatchConfig, PseudoRealAcoustics
from av_envs.cache.rows import RowFile
from av_envs.conventions import N_BANDS
from av_envs.options import check_choice
from av_envs.scene import Scene
from av_envs.scene.materials import Bands

TIERS = ("T0", "T1", "T2", "T3", "T4")
RAYS = {"T2": 256, "T3": 65_536, "T4": 65_536}  # per source
ORDER = {"T0": 0, "T1": 2}  # reflections of image sources in tiers without rays
PATHS_VERSION = 1  # of the rows of those tiers: raise it when they change


def tier_acoustics(
    scene: Scene,
    hrtf: str = "kemar",
    tier: str = "T2",
    rays: int | None = None,
    seed: int = 0,
    hidden: int = 0,
) -> AcousticBackend:
    """The acoustics of a tier.

    rays    per source, instead of those of the tier; from T2 on
    seed    of the rays, and in T4 of another recording at the same places
    hidden  seed of what T4 has of its own
    """
    check_choice("tier", tier, TIERS)
    if tier in ORDER:
        if rays is not None:
            raise ValueError(f"tier {tier} has no rays, got rays={rays}")
        return PathAcoustics(scene, tier, hrtf)
    trace = TraceConfig(n_rays=rays or RAYS[tier], seed=seed)
    if tier == "T4":
        return PseudoRealAcoustics(scene, trace, MismatchConfig(seed=hidden), hrtf)
    return TracedAcoustics(scene, trace, hrtf)


class PathAcoustics:
    """Exact paths of few reflections and nothing else: what needs no ray."""

    def __init__(self, scene: Scene, tier: str, hrtf: str = "kemar"):
        check_choice("tier", tier, ORDER)
        self.scene, self._tier, self._hrtf = scene, tier, hrtf
        self._heard_scene = grey(scene) if tier == "T1" else scene
        self._ears = ear_tables(hrtf)
        n = len(scene.graph)
        key = f"{scene.name}-{self._heard_scene.fingerprint[:16]}-{tier}-{PATHS_VERSION}"
        self._rows = RowFile(f"paths/{key}", RESPONSE, (n,), n)

    def __reduce__(self) -> tuple:
        return type(self), (self.scene, self._tier, self._hrtf)

    def row(self, source: int) -> np.ndarray:
        """(N,) RESPONSE from the node `source` to every node."""
        row = self._rows.get(source)
        return self._rows.put(source, self._trace(source)) if row is None else row

    def rir(self, source: int, receiver: int, heading: int) -> np.ndarray:
        out = np.empty((2, RIR_SAMPLES), np.float32)
        self.rirs_into(np.array([source]), receiver, heading, out[None])
        return out

    def rirs_into(self, sources: np.ndarray, receiver: int, heading: int, out: np.ndarray) -> None:
        """Responses of several sources at one pose, into `out` (S, 2, 16000) float32."""
        for source, ears in zip(sources, out, strict=True):
            salt = int(source) * len(self.scene.graph) + receiver
            binaural_response(self.row(int(source))[receiver], heading, salt, self._ears, ears)

    @cached_property
    def _tracer(self) -> SourceTracer:
        return SourceTracer(self._heard_scene, TraceConfig())

    def _trace(self, source: int) -> np.ndarray:
        scene, tracer = self._heard_scene, self._tracer
        heads = scene.graph.heads
        paths = image_paths(scene, tracer.mirrors, heads[source], heads, ORDER[self._tier])
        add_diffraction(scene, tracer.surfaces, tracer.corners, source, heads, paths)
        energy = np.zeros((len(heads), N_BINS, N_BANDS), np.float32)
        arrival = np.zeros((len(heads), N_GROUPS, N_SECTORS), np.float32)
        return pack(energy, arrival, paths)


def grey(scene: Scene) -> Scene:
    """The scene with the mean absorption of each material in all bands."""
    materials = []
    for material in scene.materials:
        mean = float(np.mean(material.absorption))
        mean = min(mean, 1 - max(material.transmission))  # no more than arrives
        absorption: Bands = (mean,) * 7
        materials.append(replace(material, absorption=absorption))
    return replace(scene, materials=tuple(materials))
