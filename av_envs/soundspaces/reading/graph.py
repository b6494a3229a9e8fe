"""Navigation graph of a SoundSpaces scene, by graph.pkl and points.txt."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from av_envs.conventions import N_HEADINGS
from av_envs.soundspaces.errors import MissingFileError, UnreadableFileError
from av_envs.soundspaces.frames import heading_of_step, world_from_habitat
from av_envs.soundspaces.reading.unpickling import Record, load_pickle

SAME_PLACE = 0.01  # m, as exactly as positions in episodes are written
LARGEST_POINTS = 2**26  # bytes of a points.txt, a million points
N_AXES = 3
STRAY = 0.25  # m that a node may lie from its point of points.txt, half of the finest grid


@dataclass(frozen=True, eq=False)
class NodeGraph:
    """Content of graph.pkl.

    nodes       (N,) int, rows of points.txt, in the order of the file
    positions   (N, 3) float64, metres in the world frame, on the floor
    adjacency   neighbours of each node, numbers as in `nodes`, in the order of the file:
                SoundSpaces steps onto the first one that lies ahead
    """

    nodes: np.ndarray
    positions: np.ndarray
    adjacency: Mapping[int, tuple[int, ...]]

    def __len__(self) -> int:
        return len(self.nodes)

    def position(self, node: int) -> np.ndarray:
        """(3,) metres in the world frame, on the floor."""
        return self.positions[self.row(node)]

    def row(self, node: int) -> int:
        """Index of a node in `nodes`."""
        if node not in self._rows:
            raise ValueError(f"the graph has no node {node}; it has {len(self)}")
        return self._rows[node]

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nodes nearest to points (..., 3) in the world frame, and how many metres away."""
        distance, row = self._tree.query(np.asarray(points, float))
        return self.nodes[row], distance

    def node_at(self, point: np.ndarray) -> int | None:
        """The node at a point (3,) in the world frame; None if none is within a centimetre."""
        node, distance = self.nearest(point)
        return int(node) if distance <= SAME_PLACE else None

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {int(node): row for row, node in enumerate(self.nodes)}

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.positions)


@dataclass(frozen=True, eq=False)
class Steps:
    """The part of a graph that can be walked with four headings, for `NavigationGraph`.

    rows        (M,) int, rows of the `NodeGraph` that are left
    neighbours  (M, 4) int32, by heading, as numbers of `rows`; -1 where no step leads
    slanted     edges that lead in none of the four headings, so that they are not used
    doubled     edges that share start and heading with one before them in the file
    cut_off     nodes that cannot be walked to from the largest part
    """

    rows: np.ndarray
    neighbours: np.ndarray
    slanted: int
    doubled: int
    cut_off: int


def read_points(path: Path) -> np.ndarray:
    """(N, 3) float64 metres in the mesh frame, at the height of the ears: all of points.txt."""
    if not path.is_file():
        raise MissingFileError(path, "this file does not exist")
    size = path.stat().st_size
    if size > LARGEST_POINTS:
        raise UnreadableFileError(path, f"has {size} bytes; of points {LARGEST_POINTS} are read")
    try:
        rows = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise UnreadableFileError(path, f"this is no table of numbers: {error}") from None
    if rows.size == 0 or rows.shape[1] != 4 or not np.isfinite(rows).all():
        raise UnreadableFileError(path, f"rows must be index, x, y, z; got shape {rows.shape}")
    if (rows[:, 0] != np.arange(len(rows))).any():
        raise UnreadableFileError(path, "points must be numbered 0, 1, 2, ...")
    return rows[:, 1:]


def read_graph(path: Path) -> NodeGraph:
    """The graph of a graph.pkl that any version of networkx has written."""
    stored = load_pickle(path)
    fields = vars(stored) if isinstance(stored, Record) else {}
    nodes = fields.get("_node", fields.get("node"))  # networkx 2 and later, or 1
    adjacency = fields.get("_adj", fields.get("adj"))
    if not isinstance(nodes, dict) or not isinstance(adjacency, dict) or not nodes:
        raise UnreadableFileError(path, "this is no graph of networkx with nodes")
    try:
        numbers = np.array([int(node) for node in nodes])
        points = np.array([_point(attributes["point"]) for attributes in nodes.values()])
        linked = {int(node): tuple(int(other) for other in adjacency[node]) for node in nodes}
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise UnreadableFileError(path, f"nodes must be numbers with a point: {error!r}") from None
    if points.shape != (len(numbers), 3) or not np.isfinite(points).all():
        raise UnreadableFileError(path, f"points of nodes must be (N, 3), got {points.shape}")
    strangers = {other for others in linked.values() for other in others} - set(linked)
    if strangers:
        raise UnreadableFileError(path, f"edges lead to nodes that do not exist: {strangers}")
    return NodeGraph(numbers, world_from_habitat(points), linked)


def _point(stated: Any) -> tuple[float, ...]:
    """Three numbers; anything else in the pickle is ignored."""
    if not isinstance(stated, list | tuple | np.ndarray) or len(stated) != N_AXES:
        raise ValueError("a point is no x, y, z")
    return tuple(float(x) for x in stated)


def check_points(path: Path, graph: NodeGraph, points: np.ndarray) -> None:
    """Raise if nodes are not where points.txt has them.

    Names of responses count points, so they would mean other places.

    points  (N, 3) metres in the world frame, on the floor
    """
    if graph.nodes.min() < 0 or graph.nodes.max() >= len(points):
        raise UnreadableFileError(
            path, f"has nodes {graph.nodes.min()}..{graph.nodes.max()}, points.txt {len(points)}"
        )
    off = np.linalg.norm(points[graph.nodes] - graph.positions, axis=1)
    if off.max() > STRAY:
        worst = int(off.argmax())
        raise UnreadableFileError(
            path,
            f"node {graph.nodes[worst]} lies {off[worst]:.2f} m from that point of points.txt",
        )


def steps_of(graph: NodeGraph) -> Steps:
    """The largest connected part of the graph that can be walked with four headings."""
    neighbours = np.full((len(graph), N_HEADINGS), -1, np.int32)
    slanted = doubled = 0
    for row, node in enumerate(graph.nodes.tolist()):
        for other in graph.adjacency[node]:
            ahead = graph.row(other)
            heading = heading_of_step(graph.positions[ahead] - graph.positions[row])
            if heading is None:
                slanted += 1
            elif neighbours[row, heading] >= 0:
                doubled += 1
            else:
                neighbours[row, heading] = ahead
    part = _parts(neighbours)
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    number = np.full(len(graph) + 1, -1, np.int32)  # one more: -1 stays -1
    number[kept] = np.arange(len(kept))
    return Steps(kept, number[neighbours[kept]], slanted, doubled, len(graph) - len(kept))


def _parts(neighbours: np.ndarray) -> np.ndarray:
    """(N,) number of the part that each node can be reached in, there and back."""
    n = len(neighbours)
    node, heading = np.nonzero(neighbours >= 0)
    links = csr_array((np.ones(len(node)), (node, neighbours[node, heading])), (n, n))
    return connected_components(links, connection="strong")[1]
