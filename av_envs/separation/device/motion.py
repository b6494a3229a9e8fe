"""Poses of many agents, and where their actions take them, in torch."""

import math

import numpy as np
import torch
from torch import Tensor

from av_envs.conventions import N_HEADINGS
from av_envs.separation.actions import TURNS, Action
from av_envs.separation.privileged import wrapped

HEADINGS = range(N_HEADINGS)


class HeadingTables:
    """Numbers of headings and turns, on a device.

    turns         (4,) int64, quarter turns of each action
    cosine, sine  (4,) float32, of each heading
    radians       (4, 4) float32, turned since a first heading at a second one
    """

    def __init__(self, device: torch.device):
        def table(values: list, dtype: type) -> Tensor:
            return torch.tensor(np.array(values, dtype), device=device)

        angles = [heading * math.pi / 2 for heading in HEADINGS]
        self.turns = table([TURNS.get(action, 0) for action in Action], np.int64)
        self.cosine = table([math.cos(angle) for angle in angles], np.float32)
        self.sine = table([math.sin(angle) for angle in angles], np.float32)
        self.radians = table(
            [[wrapped((h - first) * math.pi / 2) for h in HEADINGS] for first in HEADINGS],
            np.float32,
        )


def pose_after(
    actions: Tensor,
    place: Tensor,
    heading: Tensor,
    ahead: Tensor,
    blocked: Tensor | None,
    tables: HeadingTables,
) -> tuple[Tensor, Tensor, Tensor]:
    """Place, heading and whether something was in the way, after an action, as `pose_after`.

    actions, place, heading  (R,) int64
    ahead    (R,) int64, place in front, -1 where there is none
    blocked  (R, S) int64, places that cannot be entered, if there are any
    returns  (R,) int64, (R,) int64, (R,) bool
    """
    forward, is_blocked = actions == Action.FORWARD, ahead < 0
    if blocked is not None:
        is_blocked = is_blocked | (blocked == ahead[:, None]).any(1)
    turned = (heading + tables.turns[actions]) % N_HEADINGS
    return torch.where(forward & ~is_blocked, ahead, place), turned, forward & is_blocked


def pose_since(
    offset: Tensor, first_heading: Tensor, heading: Tensor, t: Tensor, tables: HeadingTables
) -> Tensor:
    """(R, 4) float32: metres forward and left of the start, radians turned, seconds.

    offset  (R, 3) float32, metres from the start
    """
    east, north = offset[:, 0], offset[:, 1]
    cosine, sine = tables.cosine[first_heading], tables.sine[first_heading]
    forward = east * cosine + north * sine
    left = north * cosine - east * sine
    return torch.stack([forward, left, tables.radians[first_heading, heading], t.float()], 1)
