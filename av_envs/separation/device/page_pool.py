"""Memory of one device in pages of one size, so that nothing is ever too scattered to be used.

A page holds one view, or the responses from one source to 89 nodes, or one second of a clip.
"""

import numpy as np
import torch
from torch import Tensor

from av_envs.acoustics.response import RESPONSE
from av_envs.conventions import SAMPLE_RATE
from av_envs.vision import IMAGE_SIZE
from av_envs.vision.views import DEPTH_STEPS

RGB_BYTES = 3 * IMAGE_SIZE**2
DEPTH_BYTES = 2 * IMAGE_SIZE**2  # as it is kept on disk, 16 bits
PAGE_BYTES = RGB_BYTES + DEPTH_BYTES
RESPONSES = PAGE_BYTES // (RESPONSE.itemsize + 4)  # of a page: codes, then metres to walk
METRES_AT = -(-RESPONSES * RESPONSE.itemsize // 4)  # in units of float32


class PagePool:
    """Pages of one device; what is in them is read for many environments at once.

    data  (n_pages, 81920) uint8
    """

    def __init__(self, n_pages: int, device: torch.device):
        self.n_pages = n_pages
        self.data = torch.empty((n_pages, PAGE_BYTES), dtype=torch.uint8, device=device)
        self._free = list(range(n_pages - 1, -1, -1))

    @property
    def n_free(self) -> int:
        return len(self._free)

    def take(self, n: int) -> np.ndarray:
        """(n,) int64, free pages; there must be as many."""
        taken = self._free[len(self._free) - n :]
        del self._free[len(self._free) - n :]
        return np.array(taken[::-1], np.int64)

    def give_back(self, pages: np.ndarray) -> None:
        self._free += pages.ravel().tolist()

    def write(self, pages: np.ndarray, contents: np.ndarray) -> None:
        """Fill pages (n,) with (n, 81920) uint8."""
        device = self.data.device
        self.data[torch.from_numpy(pages).to(device)] = torch.from_numpy(contents).to(device)

    def rgb(self, pages: Tensor) -> Tensor:
        """(n, 128, 128, 3) uint8, colours of views."""
        colours = self.data[:, :RGB_BYTES].index_select(0, pages)
        return colours.view(-1, IMAGE_SIZE, IMAGE_SIZE, 3)

    def depth(self, pages: Tensor) -> Tensor:
        """(n, 128, 128, 1) float32, depth of views in units of 10 m."""
        steps = self.data.view(torch.int16)[:, RGB_BYTES // 2 :].index_select(0, pages)
        metres = (steps.to(torch.int32) & 0xFFFF).float() * (1 / DEPTH_STEPS)
        return metres.view(-1, IMAGE_SIZE, IMAGE_SIZE, 1)

    def responses(self, pages: Tensor, slots: Tensor) -> Tensor:
        """(n, 914) uint8, compact responses."""
        shape = (self.n_pages, RESPONSES, RESPONSE.itemsize)
        return self.data.as_strided(shape, (PAGE_BYTES, RESPONSE.itemsize, 1))[pages, slots]

    def metres(self, pages: Tensor, slots: Tensor) -> Tensor:
        """(n,) float32, metres of walking between the source of a page and a node on it."""
        return self.data.view(torch.float32)[pages, METRES_AT + slots]

    def seconds(self, pages: Tensor) -> Tensor:
        """(n, 16000) float32, seconds of clips."""
        return self.data.view(torch.float32)[:, :SAMPLE_RATE].index_select(0, pages)


def view_pages(rgb: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(n, 81920) uint8, pages of views.

    rgb    (n, 128, 128, 3) uint8
    depth  (n, 128, 128, 1) float32, in units of 10 m
    """
    contents = np.empty((len(rgb), PAGE_BYTES), np.uint8)
    contents[:, :RGB_BYTES] = rgb.reshape(len(rgb), -1)
    steps = np.rint(depth * DEPTH_STEPS).astype("<u2")
    contents[:, RGB_BYTES:] = steps.reshape(len(rgb), -1).view(np.uint8)
    return contents


def response_pages(row: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """(k, 81920) uint8, pages of what comes from one source.

    row     (N,) RESPONSE at each node
    metres  (N,) float32, of walking from there
    """
    n = n_response_pages(len(row))
    contents = np.zeros((n, PAGE_BYTES), np.uint8)
    for page, first in enumerate(range(0, len(row), RESPONSES)):
        part = slice(first, first + RESPONSES)
        codes = row[part].tobytes()
        contents[page, : len(codes)] = np.frombuffer(codes, np.uint8)
        away = contents[page].view(np.float32)[METRES_AT:]
        away[: len(metres[part])] = metres[part]
    return contents


def n_response_pages(n_nodes: int) -> int:
    return -(-n_nodes // RESPONSES)


def clip_pages(samples: np.ndarray) -> np.ndarray:
    """(k, 81920) uint8, pages of a clip (k * 16000,) float32."""
    contents = np.zeros((len(samples) // SAMPLE_RATE, PAGE_BYTES), np.uint8)
    contents.view(np.float32)[:, :SAMPLE_RATE] = samples.reshape(-1, SAMPLE_RATE)
    return contents
