"""The convolutional recurrent network that hears directions of arrival.

Adavanne, Politis and Virtanen, "Differentiable Tracking-Based Training of Deep Learning Sound
Source Localizers", WASPAA 2021, layer by layer as in their code.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from av_envs.agents.localization.features import FRAMES_PER_LABEL, N_MELS
from av_envs.options import check_whole

POOLS = ((FRAMES_PER_LABEL, 2), (1, 2), (1, 2))  # over time and bands, after each convolution
MOST_TRACKS = 3


@dataclass(frozen=True)
class CrnnConfig:
    """Size and heads of the network; the defaults are the paper's.

    bounded  heads end in tanh, as in the paper's code, which confines the probability of being
             active to 0.27..0.73
    """

    maps: int = 7
    tracks: int = 2  # N
    filters: int = 128
    hidden: int = 128  # of the GRU in each direction, and of the heads
    activity: bool = True  # whether there is a head that says which tracks are active
    bounded: bool = False

    def __post_init__(self):
        check_whole("tracks", self.tracks, 1, MOST_TRACKS)


SIZES = {
    "paper": {"filters": 128, "hidden": 128},
    "small": {"filters": 64, "hidden": 96},
    "tiny": {"filters": 16, "hidden": 16},  # for tests
}


class Crnn(nn.Module):
    """Maps of 20 ms frames to a direction and an activity of N tracks every 100 ms."""

    def __init__(self, config: CrnnConfig | None = None):
        super().__init__()
        self.config = config or CrnnConfig()
        channels, filters, hidden = self.config.maps, self.config.filters, self.config.hidden
        blocks = []
        for pool in POOLS:
            blocks += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters)]
            blocks += [nn.ReLU(), nn.MaxPool2d(pool)]
            channels = filters
        self.convolutions = nn.Sequential(*blocks)
        bands = N_MELS // 2 ** len(POOLS)
        self.gru = nn.GRU(filters * bands, hidden, 2, batch_first=True, bidirectional=True)
        self.direction = self._head(3 * self.config.tracks)
        self.activity = self._head(self.config.tracks) if self.config.activity else None

    def _head(self, n: int) -> nn.Sequential:
        hidden = self.config.hidden
        layers = [nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(hidden, n), *[nn.Tanh()] * self.config.bounded)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor | None]:
        """Unit vectors (B, T / 5, N, 3), and logits of activity (B, T / 5, N) or None.

        maps  (B, maps, T, 64), normalised
        """
        read = self.convolutions(maps)  # (B, F, T / 5, 8)
        read, _ = self.gru(read.transpose(1, 2).flatten(2))  # (B, T / 5, 2 H)
        forward, backward = torch.tanh(read).chunk(2, dim=-1)
        read = forward * backward  # (B, T / 5, H)
        # the head's columns are x of all tracks, then y, then z
        found = self.direction(read).unflatten(-1, (3, self.config.tracks)).transpose(-1, -2)
        directions = found / torch.sqrt(found.square().sum(dim=-1, keepdim=True) + 1e-10)
        return directions, None if self.activity is None else self.activity(read)
