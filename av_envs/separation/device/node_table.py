"""Where one can stand in the houses that are on a device: all their nodes in one table."""

import numpy as np
import torch
from torch import Tensor

from av_envs.conventions import N_HEADINGS
from av_envs.scene import NavigationGraph

FIRST_ROWS = 1024


class NodeTable:
    """Nodes of all loaded houses; a place is a row here, whatever the house.

    node        (P,) int64, number in its house
    position    (P, 3) float32, metres
    neighbours  (P, 4) int64, places next to it by heading, -1 where blocked
    view_page   (P, 4) int64, page of the view by heading
    """

    def __init__(self, device: torch.device):
        self._device = device
        self.node = self._new(0, torch.int64)
        self.position = self._new(0, torch.float32, 3)
        self.neighbours = self._new(0, torch.int64, N_HEADINGS)
        self.view_page = self._new(0, torch.int64, N_HEADINGS)
        self._free: list[int] = []

    def add(self, graph: NavigationGraph, view_page: np.ndarray) -> np.ndarray:
        """Places (N,) int64 of the nodes of a house.

        view_page  (N, 4) int64
        """
        n = len(graph)
        while len(self._free) < n:
            self._grow()
        places = np.array([self._free.pop() for _ in range(n)], np.int64)
        neighbours = np.where(graph.neighbours < 0, -1, places[graph.neighbours])
        rows = torch.from_numpy(places).to(self._device)
        for table, values in (
            (self.node, np.arange(n)),
            (self.position, graph.positions),
            (self.neighbours, neighbours),
            (self.view_page, view_page),
        ):
            table[rows] = torch.tensor(values, dtype=table.dtype, device=self._device)
        return places

    def remove(self, places: np.ndarray) -> None:
        self._free += places.tolist()

    def _grow(self) -> None:
        before = len(self.node)
        more = max(before, FIRST_ROWS)
        for name in ("node", "position", "neighbours", "view_page"):
            table = getattr(self, name)
            setattr(self, name, torch.cat([table, self._new(more, table.dtype, *table.shape[1:])]))
        self._free += range(before + more - 1, before - 1, -1)

    def _new(self, n: int, dtype: torch.dtype, *shape: int) -> Tensor:
        return torch.zeros((n, *shape), dtype=dtype, device=self._device)
