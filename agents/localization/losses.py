"""Training objectives: squared error, permutation-invariant error, and differentiable tracking.

Adavanne, Politis and Virtanen, "Differentiable Tracking-Based Training of Deep Learning Sound
Source Localizers", WASPAA 2021, section 2, with the weights of their code. Everywhere, the first
axes are B sequences and L frames: directions (B, L, N, 3), activities (B, L, N).
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from av_envs.agents.localization.assignment import all_permutations, assign, permuted_costs
from av_envs.agents.localization.hungarian import PAD, Hnet
from av_envs.options import check_choice

ASSOCIATIONS = ("ordered", "pit", "exact", "hnet")
IDLE = (0.0, 0.0, 1.0)  # where squared errors want a track without a source


@dataclass(frozen=True)
class LossConfig:
    """Which objective, and the weights of its parts.

    association  ordered: squared error in the order of the labels (the baseline of the paper)
                 pit: squared error in the best order of each frame
                 exact: tracking metrics of the exact assignment, which itself has no gradient
                 hnet: tracking metrics of the assignment by a frozen Hnet, with its gradient
    """

    association: str = "exact"
    precision: float = 50.0  # of dMOTp
    accuracy: float = 1.0  # of dMOTa
    switches: float = 1.0  # of identity switches in dMOTa
    activity: float = 10.0  # of the cross entropy of activities

    def __post_init__(self):
        check_choice("association", self.association, ASSOCIATIONS)


class Tracking(NamedTuple):
    """Differentiable tracking metrics.

    precision  dMOTp, unit-free distance of what is associated
    accuracy   dMOTa, misses, false alarms and switches per predicted source
    associated (B, L, N) in 0..1, how far each track belongs to a source
    """

    precision: Tensor
    accuracy: Tensor
    associated: Tensor


def loss(
    config: LossConfig,
    directions: Tensor,
    logits: Tensor | None,
    truth: Tensor,
    active: Tensor,
    hnet: Hnet | None = None,
) -> Tensor:
    """The objective, a number.

    directions  (B, L, N, 3) unit vectors that a localiser found
    logits      (B, L, N) of its activities, None without them
    truth       (B, L, N, 3) directions of the sources
    active      (B, L, N) bool, which sources sound
    hnet        for association "hnet"
    """
    if config.association in ("ordered", "pit"):
        error, target = squared_error(directions, truth, active, config.association == "pit")
    else:
        if config.association == "hnet":
            if hnet is None:
                raise ValueError("association 'hnet' needs an Hnet")
            distance, soft = hnet_association(hnet, directions, truth, active)
        else:
            distance, soft = exact_association(directions, truth, active)
        found = tracking(distance, soft, active, config.switches)
        error = config.precision * found.precision + config.accuracy * found.accuracy
        target = (found.associated.detach() > 0.5).float()
    if logits is None:
        return error
    return error + config.activity * cross_entropy(logits, target)


def squared_error(
    directions: Tensor, truth: Tensor, active: Tensor, any_order: bool
) -> tuple[Tensor, Tensor]:
    """Mean squared error of coordinates, and which tracks should be active, (B, L, N) float.

    any_order  whether the sources of each frame are in the order that fits best
    """
    wanted = torch.where(active[..., None], truth, truth.new_tensor(IDLE))
    cost = (directions[..., :, None, :] - wanted[..., None, :, :]).square().mean(dim=-1)
    costs = permuted_costs(cost)  # (B, L, N!), the labels' own order first
    if not any_order:
        return costs[..., 0].mean() / active.shape[-1], active.float()
    least, best = costs.min(dim=-1)
    order = all_permutations(active.shape[-1]).to(best.device)[best]
    return least.mean() / active.shape[-1], active.gather(-1, order).float()


def distances(directions: Tensor, truth: Tensor) -> Tensor:
    """(B, L, N, N) Euclidean, rows are tracks and columns sources.

    A little is added below the root, which has no slope at 0.
    """
    gap = directions[..., :, None, :] - truth[..., None, :, :]
    return torch.sqrt(gap.square().sum(dim=-1) + 1e-12)


def exact_association(directions: Tensor, truth: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """Distances, and 1 where the best assignment of sources to tracks associates them."""
    distance = distances(directions, truth)
    return distance, assign(distance, torch.ones_like(active), active).to(distance.dtype)


def hnet_association(
    hnet: Hnet, directions: Tensor, truth: Tensor, active: Tensor
) -> tuple[Tensor, Tensor]:
    """Distances, sources that do not sound being far away, and the soft association of an Hnet.

    Values up to 0.5 are zero.
    """
    if hnet.config.tracks != active.shape[-1]:
        raise ValueError(
            f"the Hnet assigns {hnet.config.tracks} tracks, the labels have {active.shape[-1]}"
        )
    distance = distances(directions, torch.where(active[..., None], truth, PAD))
    soft = torch.sigmoid(hnet(distance.flatten(0, 1))[0]).view_as(distance)
    return distance, torch.where(soft > 0.5, soft, 0.0)


def tracking(distance: Tensor, soft: Tensor, active: Tensor, switches: float) -> Tracking:
    """Differentiable tracking metrics of an association.

    distance, soft  (B, L, N, N)
    switches        weight of identity switches

    Frames with two matches count twice in dMOTp, and dMOTa is per predicted source, as in the
    authors' code. The first frame of a sequence has no switch (there, only that of a batch).
    """
    matched = soft.sum(dim=(-2, -1))  # (B, L)
    near = (distance * soft).sum(dim=(-2, -1))
    precision = (near * matched).sum() / (matched.sum() + 1e-6)
    associated = soft.amax(dim=-1)
    predicted, there = associated.sum(dim=-1), active.sum(dim=-1)  # (B, L)
    wrong = torch.abs(predicted - there)  # false alarms or misses: never both
    switched = (soft[:, 1:] * (1 - soft[:, :-1])).sum(dim=(-2, -1))
    accuracy = (wrong.sum() + switches * switched.sum()) / (predicted.sum() + 1e-6)
    return Tracking(precision, accuracy, associated)
