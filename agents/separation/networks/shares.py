"""How much of what is heard belongs to the target, in decibels that a network can see.

On the scale of `encoders.bands` a room's loud and quiet ends are 1 apart, so a few decibels
between the separated sound and the mixture are a few hundredths. They tell whether the source
that one stands beside is the target.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.agents.separation.networks.encoders import (
    CHANNELS,
    DIFFERENCE,
    FAINTEST,
    LEVEL_RANGE,
    MEL_BANDS,
    PARTS,
)

LEAST = 1e-3  # share that counts as nothing
OF_AN_EAR = 3 * (PARTS + 1) + 1
SIZE = 2 * MEL_BANDS * PARTS + 2 * OF_AN_EAR + 2


class ShareEncoder(nn.Module):
    """Shares and levels to a vector: one dense layer."""

    def __init__(self, features: int = 128):
        super().__init__()
        self.dense = nn.Linear(SIZE, features)
        start_he_normal(self)

    def forward(self, mixture: Tensor, image: Tensor) -> Tensor:
        """(B, features) of `bands` (B, 3, 32, 8) of the mixture and of the separated sound."""
        return relu(self.dense(shares(mixture, image)))


def shares(mixture: Tensor, image: Tensor) -> Tensor:
    """(B, 570) numbers about both `bands` (B, 3, 32, 8).

    At each ear the share of the image in the energy of every band and part (32 x 8), and of each
    part and of the whole second: log10 of the share, half of log10 of the energy of either, and
    for the second of what is left of the mixture without the image. Then by how much louder the
    left ear hears the image, and what is left; 1 is 5 dB.
    """
    by_band, numbers, ears = [], [], []
    for whole, part in zip(_energies(mixture), _energies(image), strict=True):
        by_band.append((part / whole).clamp(LEAST, 1).flatten(1))
        rest = (whole - part).clamp(min=0).sum(dim=(1, 2))[:, None] + FAINTEST
        totals = []
        for energy in (whole, part):
            parts = energy.sum(dim=1)
            totals.append(torch.cat([parts, parts.sum(dim=1, keepdim=True)], dim=1) + FAINTEST)
        heard, kept = totals
        numbers += [(kept / heard).clamp(LEAST, 2).log10(), heard.log10() / 2, kept.log10() / 2]
        numbers.append(rest.log10() / 2)
        ears.append((kept[:, -1:], rest))
    (left, left_rest), (right, right_rest) = ears
    sides = [2 * (left / right).log10(), 2 * (left_rest / right_rest).log10()]
    return torch.cat([*by_band, *numbers, *sides], dim=1)


def _energies(bands: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 32, 8) mean squared magnitude at either ear, as `bands` (B, 3, 32, 8) has kept them."""
    if tuple(bands.shape[1:]) != (CHANNELS[2], MEL_BANDS, PARTS):
        raise ValueError(f"bands must be (B, 3, 32, 8); got {tuple(bands.shape)}")
    low, high = LEVEL_RANGE
    level = low + bands[:, 0] * (high - low)
    half = bands[:, 1] * DIFFERENCE / 2
    return 10 ** (level + half), 10 ** (level - half)
