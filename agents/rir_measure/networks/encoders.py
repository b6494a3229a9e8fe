"""From what robots observe to a vector: E_omega, E_nu, E_r and E_m of the paper.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, section 3.3: three
convolutions of 8, 4 and 3 pixels and a dense layer for pictures; azimuth and time as they are; an
embedding of positions. Strides and channels, which the paper leaves open, are those of SoundSpaces.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from av_envs.agents.initial_weights import start_he_normal
from av_envs.options import check_choice

VISIONS = {"rgbd": 4, "rgb": 3, "depth": 1, "blind": 0}  # channels of a picture
WHOLE, REDUCED = 128, 16  # pixels along each side
LAYERS = ((32, 8, 4), (64, 4, 2), (64, 3, 2))  # channels, kernel, stride
METRES = 10.0  # that become 1 in a position: dwellings are about as large
NUMBERS = {"turns": 2, "circle": 3}  # of azimuth and time


@dataclass(frozen=True)
class SenseConfig:
    """What all networks of a team see; the defaults are the paper's."""

    vision: str = "rgbd"  # one of VISIONS
    pixels: int = WHOLE  # along each side of a picture: 128, or 16 where it was reduced
    picture_size: int = 256  # of the vector of a picture
    azimuth: str = "turns"  # the heading as a number; "circle": its cosine and sine

    def __post_init__(self):
        check_choice("vision", self.vision, VISIONS)
        check_choice("azimuth", self.azimuth, NUMBERS)
        if self.pixels not in (WHOLE, REDUCED):
            raise ValueError(f"pixels must be {WHOLE} or {REDUCED}, got {self.pixels!r}")

    @property
    def channels(self) -> int:
        """Of a picture."""
        return VISIONS[self.vision]


class Encoder(nn.Module):
    """What `views` robots and moments observe, side by side, to one vector (B, size).

    position_size  of the embedding of all positions

    | feature    | shape after (B, views) | what it is                             |
    |------------|------------------------|----------------------------------------|
    | `pictures` | (channels, side, side) | 0..1; not there without vision         |
    | `azimuth`  | (2,)                   | heading in turns, share of the episode |
    | `position` | (3,)                   | metres                                 |
    """

    def __init__(self, config: SenseConfig, views: int, position_size: int):
        super().__init__()
        self.config = config
        self.pictures = _picture_encoder(config, views) if config.channels else None
        self.positions = nn.Linear(3 * views, position_size)
        seen = config.picture_size if config.channels else 0
        self.size = seen + NUMBERS[config.azimuth] * views + position_size
        start_he_normal(self)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        parts = []
        if self.pictures is not None:
            parts.append(relu(self.pictures(features["pictures"].float().flatten(1, 2))))
        parts.append(self._numbers(features["azimuth"]).flatten(1))
        parts.append(relu(self.positions(features["position"].flatten(1) / METRES)))
        return torch.cat(parts, dim=-1)

    def _numbers(self, azimuth: Tensor) -> Tensor:
        if self.config.azimuth == "turns":
            return azimuth
        angle = 2 * math.pi * azimuth[..., :1]
        return torch.cat([angle.cos(), angle.sin(), azimuth[..., 1:]], dim=-1)


def _picture_encoder(config: SenseConfig, views: int) -> nn.Sequential:
    """(B, views * channels, side, side) to (B, picture_size)."""
    inputs = views * config.channels
    if config.pixels == REDUCED:
        return nn.Sequential(nn.Flatten(), nn.Linear(inputs * REDUCED**2, config.picture_size))
    layers: list[nn.Module] = []
    side = WHOLE
    for channels, kernel, stride in LAYERS:
        layers += [nn.Conv2d(inputs, channels, kernel, stride), nn.ReLU()]
        inputs, side = channels, (side - kernel) // stride + 1
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side**2, config.picture_size))
