"""Compact responses between all nodes of a scene: traced on demand, cached on disk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from av_envs.acoustics.response import RESPONSE, pack
from av_envs.acoustics.tracing.corners import Corners, find_corners
from av_envs.acoustics.tracing.cpu import N_RAYS, trace
from av_envs.acoustics.tracing.detectors import DETECTOR_RADIUS, Detectors, make_detectors
from av_envs.acoustics.tracing.diffraction import add_diffraction
from av_envs.acoustics.tracing.image_sources import Mirrors, find_mirrors, image_paths
from av_envs.acoustics.tracing.surfaces import Surfaces, make_surfaces
from av_envs.cache.rows import RowFile
from av_envs.progress import progress_bar
from av_envs.scene import Scene
from av_envs.threads import in_threads

ENGINE_VERSION = 7  # of the tracer's results: raise it when they change
TRACERS = "numba", "warp"


@dataclass(frozen=True)
class TraceConfig:
    """Parameters of the tracer."""

    n_rays: int = N_RAYS  # per source
    image_order: int = 2  # reflections of exact specular paths
    seed: int = 0
    tracer: str = "numba"  # or warp, for graphics processors: as loud, not the same bits

    def __post_init__(self):
        if self.tracer not in TRACERS:
            raise ValueError(
                f"tracer {self.tracer!r} does not exist; choose from {', '.join(TRACERS)}"
            )

    @property
    def key(self) -> str:
        """Part of the cache key."""
        settings = f"{self.n_rays}-{self.image_order}-{self.seed}"
        return settings if self.tracer == "numba" else f"{settings}-{self.tracer}"


class ResponseBank:
    """Compact responses between all nodes of a scene, one row per source, traced on demand.

    The rows are cached in a file named after the scene's content, shared by all processes.
    """

    def __init__(self, scene: Scene, config: TraceConfig | None = None):
        self.scene = scene
        self.config = config or TraceConfig()
        n = len(scene.graph)
        key = f"{scene.name}-{scene.fingerprint[:16]}-{ENGINE_VERSION}-{self.config.key}"
        self._rows = RowFile(f"responses/{key}", RESPONSE, (n,), n)

    def __reduce__(self) -> tuple:
        return type(self), (self.scene, self.config)

    def row(self, source: int) -> np.ndarray:
        """(N,) RESPONSE from the node `source` to every node."""
        row = self._rows.get(self._node(source))
        return self._rows.put(source, self._tracer.trace(source)) if row is None else row

    def bake(
        self,
        sources: Iterable[int] | None = None,
        progress: bool = False,
        workers: int | None = None,
    ) -> None:
        """Trace the rows of `sources` (default: all nodes) that do not exist yet.

        Each of `workers` threads (default: one per core) traces sources of its own.
        """
        wanted = range(self._rows.n_rows) if sources is None else map(self._node, sources)
        missing = [s for s in wanted if not self._rows.filled()[s]]
        with progress_bar(
            desc=f"tracing {self.scene.name}", total=len(missing), shown=progress
        ) as bar:

            def bake_one(source: int) -> None:
                self._rows.put(source, self._tracer.trace(source, workers=1))
                bar.update()

            # a graphics processor is shared by threads of its own
            in_threads(bake_one, missing, 1 if self.config.tracer == "warp" else workers)

    def filled(self) -> np.ndarray:
        """(N,) bool, for which sources a row exists."""
        return self._rows.filled()

    def _node(self, source: int) -> int:
        if not 0 <= source < self._rows.n_rows:
            raise ValueError(f"source must be a node in 0..{self._rows.n_rows - 1}, got {source}")
        return source

    @cached_property
    def _tracer(self) -> "SourceTracer":
        return SourceTracer(self.scene, self.config)


class SourceTracer:
    """Traces one source of a scene at a time; what all sources share is computed once."""

    def __init__(self, scene: Scene, config: TraceConfig):
        self.scene = scene
        self.config = config

    @cached_property
    def surfaces(self) -> Surfaces:
        return make_surfaces(self.scene)

    @cached_property
    def mirrors(self) -> Mirrors:
        return find_mirrors(self.scene)

    @cached_property
    def corners(self) -> Corners:
        return find_corners(self.scene, self.scene.graph.heads)

    @cached_property
    def detectors(self) -> Detectors:
        graph = self.scene.graph
        return make_detectors(graph.heads, np.minimum(graph.clearance, DETECTOR_RADIUS))

    def trace(self, source: int, workers: int | None = None) -> np.ndarray:
        """(N,) RESPONSE from one node to all, on `workers` threads (default: one per core)."""
        heads = self.scene.graph.heads
        paths = image_paths(self.scene, self.mirrors, heads[source], heads, self.config.image_order)
        add_diffraction(self.scene, self.surfaces, self.corners, source, heads, paths)
        settings = {
            "n_rays": self.config.n_rays,
            "image_order": self.config.image_order,
            "seed": self.config.seed + source,
        }
        if self.config.tracer == "warp":
            energy, arrival, _ = _warp_tracer()(
                self.scene, heads[source], self.detectors, **settings
            )
        else:
            energy, arrival, _ = trace(
                self.scene, heads[source], self.detectors, **settings, workers=workers
            )
        return pack(energy[0], arrival[0], paths)


def _warp_tracer() -> Callable:
    """The tracer in Warp; ModuleNotFoundError if the extra is not installed."""
    try:
        from av_envs.acoustics.tracing.warp import trace_on_device
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "tracer 'warp' needs NVIDIA Warp: pip install -e '.[warp]'", name=error.name
        ) from error
    return trace_on_device
