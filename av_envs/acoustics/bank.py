"""All responses of a scene: traced when first asked for, then shared by every process."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from tqdm import tqdm

from av_envs.acoustics.detectors import DETECTOR_RADIUS, Detectors, make_detectors
from av_envs.acoustics.diffraction import Corners, add_hidden_paths, find_corners
from av_envs.acoustics.image_sources import Mirrors, find_mirrors, image_paths
from av_envs.acoustics.response import RESPONSE, pack
from av_envs.acoustics.surfaces import Surfaces, make_surfaces
from av_envs.acoustics.tracing import N_RAYS, trace
from av_envs.scene import Scene
from av_envs.storage import RowFile

ENGINE_VERSION = 4  # of the numbers the tracer makes: raise it when they change


@dataclass(frozen=True)
class TraceConfig:
    """How finely a scene is traced."""

    n_rays: int = N_RAYS  # per source
    image_order: int = 2  # reflections of exact specular paths
    seed: int = 0


class ResponseBank:
    """Compact responses between all nodes of a scene, one row per source, made lazily.

    The rows live in a memory-mapped file named after the scene's content, so that
    processes share them and a house is traced once per machine.
    """

    def __init__(self, scene: Scene, config: TraceConfig | None = None):
        self.scene = scene
        self.config = config or TraceConfig()
        n = len(scene.graph)
        settings = "-".join(str(value) for value in asdict(self.config).values())
        key = f"{scene.name}-{scene.fingerprint[:16]}-{ENGINE_VERSION}-{settings}"
        self._rows = RowFile(f"responses/{key}", RESPONSE, (n,), n)
        self._engine: SourceTracer | None = None

    def row(self, source: int) -> np.ndarray:
        """(N,) RESPONSE from the node `source` to every node."""
        row = self._rows.get(self._node(source))
        return self._rows.put(source, self._tracer.trace(source)) if row is None else row

    def bake(self, sources: Iterable[int] | None = None, progress: bool = False) -> None:
        """Trace the rows of `sources` (default: all nodes) that do not exist yet."""
        wanted = range(self._rows.n_rows) if sources is None else map(self._node, sources)
        missing = [s for s in wanted if not self._rows.filled()[s]]
        for source in tqdm(missing, f"tracing {self.scene.name}", disable=not progress):
            self.row(source)

    def _node(self, source: int) -> int:
        if not 0 <= source < self._rows.n_rows:
            raise ValueError(f"source must be a node in 0..{self._rows.n_rows - 1}, got {source}")
        return source

    @property
    def _tracer(self) -> "SourceTracer":
        if self._engine is None:
            self._engine = SourceTracer(self.scene, self.config)
        return self._engine


class SourceTracer:
    """Traces one source of a scene at a time; what all sources share is prepared once."""

    def __init__(self, scene: Scene, config: TraceConfig, workers: int | None = None):
        self.scene = scene
        self.config = config
        self.workers = workers

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

    def trace(self, source: int) -> np.ndarray:
        """(N,) RESPONSE from one node to all."""
        heads = self.scene.graph.heads
        paths = image_paths(self.scene, self.mirrors, heads[source], heads, self.config.image_order)
        add_hidden_paths(self.scene, self.surfaces, self.corners, source, heads, paths)
        energy, arrival, _ = trace(
            self.scene,
            heads[source],
            self.detectors,
            n_rays=self.config.n_rays,
            image_order=self.config.image_order,
            seed=self.config.seed + source,
            workers=self.workers,
        )
        return pack(energy[0], arrival[0], paths)
