"""A network of the size of a separator (2.5 M weights), untrained: only its speed counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

CHANNELS, WIDE = 256, 512


class Block(nn.Module):
    """Dilated convolution over frames, as in Conv-TasNet."""

    def __init__(self, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(CHANNELS, WIDE, 1),
            nn.PReLU(),
            nn.Conv1d(WIDE, WIDE, 3, padding=dilation, dilation=dilation, groups=WIDE),
            nn.PReLU(),
            nn.Conv1d(WIDE, CHANNELS, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class Network:
    """A mask on the louder ear, bin by bin."""

    def __init__(self):
        blocks = [Block(2 ** (k % 4)) for k in range(8)]
        ends = nn.Conv1d(1024, CHANNELS, 1), nn.Conv1d(CHANNELS, 512, 1)
        self._mask = nn.Sequential(ends[0], *blocks, ends[1], nn.Sigmoid())

    @torch.inference_mode()
    def estimate_batch(
        self, mixtures: np.ndarray, labels: np.ndarray, memories: Sequence[Any]
    ) -> tuple[np.ndarray, Sequence[Any]]:
        heard = torch.from_numpy(mixtures)  # (B, 2, 512, 32)
        mask = self._mask(torch.log1p(heard).flatten(1, 2))  # (B, 512, 32)
        return (mask * heard.amax(1)).numpy(), memories
