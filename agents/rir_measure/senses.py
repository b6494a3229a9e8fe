"""What the networks of a team are shown: observations as tensors, now and a moment before.

The same functions serve training, where there are many teams, and playing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from av_envs.agents.rir_measure.networks.encoders import REDUCED, WHOLE, SenseConfig
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.schedule import Roster

Features = dict[str, Tensor]

MASK, FOOTPRINTS = "action_mask", "footprints"
OF_ACTING = (MASK, FOOTPRINTS)  # no part of how the dwelling sounds
NUMBERS = ("azimuth", "position", MASK)
LOUDNESS = 255.0  # of a colour that becomes 1
NEAREST = 0.02  # of the depth's range of 10 m, in reduced pictures


def needed_observations(config: SenseConfig) -> tuple[str, ...]:
    """Keys of the environment's observation that features are made of."""
    colours = ("rgb",) if config.vision in ("rgb", "rgbd") else ()
    depth = ("depth",) if config.vision in ("depth", "rgbd") else ()
    return (*colours, *depth, *NUMBERS)


def features_of(
    observation: Mapping[str, Any], config: SenseConfig, device: torch.device | str = "cpu"
) -> Features:
    """Features (N, R, ...), see `encoders.Encoder`, and the `action_mask` if it is observed.

    observation  arrays (N, R, ...) of N teams of R robots

    `pictures` are float16, colours first. Reduced ones are of 16 by 16 cells: the mean colour of
    a cell, and the nearest thing in it on a logarithmic scale from 0.2 m to 10 m.
    """
    made = {
        key: torch.as_tensor(np.asarray(observation[key]), device=device)
        for key in NUMBERS
        if key in observation
    }
    if config.channels:
        made["pictures"] = _pictures(observation, config, device)
    return made


def _pictures(
    observation: Mapping[str, Any], config: SenseConfig, device: torch.device | str
) -> Tensor:
    """(N, R, channels, side, side) float16."""
    parts = []
    for key in needed_observations(config):
        if key in NUMBERS:
            continue
        picture = torch.as_tensor(np.asarray(observation[key]), device=device)
        flat = picture.flatten(0, 1).movedim(-1, 1).float()
        flat = flat / LOUDNESS if key == "rgb" else flat
        if config.pixels == REDUCED:
            flat = _mean_colour(flat) if key == "rgb" else _nearest(flat)
        parts.append(flat.unflatten(0, picture.shape[:2]).half())
    return torch.cat(parts, dim=2)


def _mean_colour(rgb: Tensor) -> Tensor:
    return avg_pool2d(rgb, WHOLE // REDUCED)


def _nearest(depth: Tensor) -> Tensor:
    nearest = -max_pool2d(-depth, WHOLE // REDUCED)
    return 1 - nearest.clamp(min=NEAREST).log() / torch.tensor(NEAREST).log()


class Recent:
    """The last moments of N teams; before there were so many, the oldest one counts again.

    moments  that are remembered, the present one included
    """

    def __init__(self, moments: int):
        self.moments = moments
        self._kept: list[Features] = []  # the present one first

    def add(self, features: Features, starts: Tensor) -> Features:
        """What the moments are now, (N, moments, R, ...), the present one first.

        features  (N, R, ...) of the present
        starts    (N,) bool, where an episode begins: what came before is forgotten
        """
        now = {key: value for key, value in features.items() if key not in OF_ACTING}
        if not self._kept or self._kept[0]["azimuth"].shape != now["azimuth"].shape:
            self._kept = [now] * (self.moments - 1)
        before = [_begun_anew(one, now, starts) for one in self._kept]
        every = [now, *before]
        self._kept = every[: self.moments - 1]
        return {key: torch.stack([one[key] for one in every], dim=1) for key in now}


def _begun_anew(before: Features, now: Features, starts: Tensor) -> Features:
    """What was before, and the present where an episode begins."""
    return {
        key: torch.where(starts.view(-1, *[1] * (value.ndim - 1)), now[key], value)
        for key, value in before.items()
    }


def pairs_of(config: MeasureConfig, device: torch.device | str = "cpu") -> Tensor:
    """(P, 2) int64, emitter and receiver of each measurement of a step, in its order.

    Raises ValueError where loudspeakers or heads stand still, which observe nothing.
    """
    measured = Roster(config).links
    if max(map(max, measured)) >= config.robots:
        raise ValueError(
            "the generator predicts between robots alone: there are "
            f"{config.fixed_sources} fixed_sources and {config.fixed_receivers} fixed_receivers"
        )
    return torch.tensor([tuple(link) for link in measured], device=device)


def ends_of(moments: Mapping[str, Tensor], pairs: Tensor) -> Features:
    """(B * P, moments, 2, ...), what the two ends of every pair observe, the emitter first.

    moments  (B, moments, R, ...) of robots
    pairs    (P, 2) int64, emitter and receiver
    """
    return {key: value[:, :, pairs].movedim(2, 1).flatten(0, 1) for key, value in moments.items()}
