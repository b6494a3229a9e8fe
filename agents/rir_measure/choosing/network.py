"""How good each place is that a robot may go to, and how much is still to be found.

Every place is judged by the same layers, from what `places.PlaceBook` says of it, so that their
order and number mean nothing. It remembers nothing: the map does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from av_envs.agents.ppo.policy import PolicyOutput, orthogonal
from av_envs.agents.rir_measure.choosing.places import FEATURES


@dataclass(frozen=True)
class ChooserConfig:
    """Of a `Chooser`."""

    hidden: int = 64  # width of all layers


class Chooser(nn.Module):
    """A `Policy` of `agents.ppo` for teams: the action of a robot is one of the places offered.

    Features are `places` (T, N, R, K, FEATURES) and `mask` (T, N, R, K), see `places.Offer`.
    """

    def __init__(self, config: ChooserConfig):
        super().__init__()
        self.config = config
        hidden = config.hidden
        self.judge = nn.Sequential(
            orthogonal(nn.Linear(FEATURES, hidden)),
            nn.Tanh(),
            orthogonal(nn.Linear(hidden, hidden)),
            nn.Tanh(),
        )
        self.actor = orthogonal(nn.Linear(hidden, 1), 0.01)
        self.critic = nn.Sequential(
            orthogonal(nn.Linear(2 * hidden, hidden)),
            nn.Tanh(),
            orthogonal(nn.Linear(hidden, 1), 1.0),
        )

    def initial_state(self, n: int) -> Tensor:
        """(n, 0)"""
        return self.actor.weight.new_zeros(n, 0)

    def forward(
        self, features: Mapping[str, Tensor], state: Tensor, starts: Tensor
    ) -> PolicyOutput:
        """Logits (T, N, R, K) and values (T, N, R), see `agents.ppo.policy.Policy`."""
        mask = features["mask"].bool()
        judged = self.judge(features["places"].float())
        logits = self.actor(judged).squeeze(-1).masked_fill(~mask, -torch.inf)
        there = mask[..., None]
        mean = (judged * there).sum(-2) / there.sum(-2)
        best = judged.masked_fill(~there, -1.0).amax(-2)
        values = self.critic(torch.cat([mean, best], dim=-1)).squeeze(-1)
        return PolicyOutput(logits, values, state)
