"""Walks seen in a mirror: a house with left and right exchanged is as good a house.

Heads are symmetric enough for it: what one ear would hear, the other one hears.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from av_envs.agents.separation.networks.locator import AZIMUTHS, RANGES
from av_envs.separation.actions import Action

# The move that does in the mirror what a move does, by number.
_OPPOSITE = torch.tensor([Action.FORWARD, Action.RIGHT, Action.LEFT, Action.STAY])
_EARS = -3  # axis of a sound


def mirrored(walks: Mapping[str, Tensor], which: Tensor) -> dict[str, Tensor]:
    """The walks of which `which` (B,) bool are mirrored.

    walks  name -> (T, B, ...): features of `networks.policy.SeparationPolicy` and labels of
           `expert.Truths`; what has no sides stays
    """
    return {
        name: torch.where(which.reshape(-1, *[1] * (value.ndim - 2)), _FLIPS[name](value), value)
        if name in _FLIPS
        else value
        for name, value in walks.items()
    }


def _sound(value: Tensor) -> Tensor:
    """Of two ears: spectrograms (..., 2, 512, 32), or (..., 3, 32, 8), see `encoders.bands`."""
    if value.shape[_EARS] == 2:
        return value.flip(_EARS)
    return value * value.new_tensor([1, -1, -1])[:, None, None]


def _place(value: Tensor) -> Tensor:
    """(..., 43): direction k becomes direction -k; distances have no sides."""
    azimuth, distance = value.split((AZIMUTHS, RANGES), dim=-1)
    return torch.cat([azimuth[..., :1], azimuth[..., 1:].flip(-1), distance], dim=-1)


def _pose(value: Tensor) -> Tensor:
    """(..., 4): metres forward and left, heading, seconds."""
    return value * value.new_tensor([1, -1, -1, 1])


def _move(value: Tensor) -> Tensor:
    return _OPPOSITE.to(value.device)[value]


_FLIPS = {
    "mixture": _sound,
    "binaural": _sound,
    "rgb": lambda value: value.flip(-2),  # (..., 128, 128, 3)
    "delays": lambda value: value.flip(-1),
    "walls": lambda value: value.flip(-1),
    "place": _place,
    "pose": _pose,
    "previous_action": _move,
    "expert": _move,
    "offset": lambda value: value * value.new_tensor([1, -1]),
}
