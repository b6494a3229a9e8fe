"""The measured impulse responses of one step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from av_envs.acoustics.backend import AcousticBackend
from av_envs.acoustics.binaural import RIR_SAMPLES
from av_envs.rir_measure.pairs import Pairs
from av_envs.scene import NavigationGraph
from av_envs.worlds.base import Dwelling


class Measurement(NamedTuple):
    """P responses and what they are responses of; no array can be written to.

    nodes  (P, 3) int32: node of the emitter, node and heading of the receiver
    pairs  the same in metres
    rirs   (P, 2, 16000) float32
    """

    nodes: np.ndarray
    pairs: Pairs
    rirs: np.ndarray


def measured_between(
    acoustics: AcousticBackend, graph: NavigationGraph, nodes: np.ndarray
) -> Measurement:
    """The true responses between nodes (P, 3): emitter, receiver, heading of the receiver."""
    nodes = np.array(nodes, np.int32).reshape(-1, 3)
    rirs = np.empty((len(nodes), 2, RIR_SAMPLES), np.float32)
    for (source, receiver, heading), rir in zip(nodes.tolist(), rirs, strict=True):
        rir[:] = acoustics.rir(source, receiver, heading)
    pairs = pairs_of(graph, nodes)
    for array in (nodes, *pairs, rirs):
        array.flags.writeable = False
    return Measurement(nodes, pairs, rirs)


@dataclass(frozen=True)
class TrueResponses:
    """Of any pairs in a dwelling, (P, 2, 16000) float32."""

    dwelling: Dwelling

    def __call__(self, pairs: Pairs) -> np.ndarray:
        graph = self.dwelling.scene.graph
        return measured_between(self.dwelling.acoustics, graph, nodes_of(graph, pairs)).rirs


def pairs_of(graph: NavigationGraph, nodes: np.ndarray) -> Pairs:
    """Where the heads on these nodes are; nodes as in `Measurement`."""
    return Pairs(graph.heads[nodes[:, 0]], graph.heads[nodes[:, 1]], nodes[:, 2].copy())


def nodes_of(graph: NavigationGraph, pairs: Pairs) -> np.ndarray:
    """(P, 3) int32, the other way round: the nodes nearest to the heads of `pairs`."""
    ends = [_nearest(graph.heads, points) for points in (pairs.emitter, pairs.receiver)]
    return np.stack([*ends, pairs.heading], axis=1).astype(np.int32)


def _nearest(heads: np.ndarray, points: Sequence[np.ndarray]) -> np.ndarray:
    offsets = heads[None] - np.asarray(points)[:, None]
    return np.square(offsets).sum(axis=2).argmin(axis=1)
