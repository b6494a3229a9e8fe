"""MACMARA: who of the team gets how much of its reward, said by a network.

Yu et al., "Measuring Acoustics with Collaborative Multiple Agents", IJCAI 2023, section 3.6. Robot
j gets rho^j r with rho^j = (1 - rho) / R + rho rho_R^j, where rho_R comes from the network and
should sum to 1 over the robots. That alone is what the network learns: L_sigma, the squared rest
r - sum of rho^j r, is rho^2 r^2 times L_rho = (1 - sum of rho_R)^2, so any split that sums to 1
will do. No gradient leads from the policy into the shares.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import Ranks
from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.ppo.rollout import Rollout
from av_envs.agents.rir_measure.presets import NO_SHARING
from av_envs.options import check_choice
from av_envs.rir_measure.rewards import shares

HIDDEN = 256
LOSSES = ("weights", "reward")


class RewardAssignment(nn.Module):
    """rho_R (N, R) within 0..1 of the memories (N, R * state_size) and the reward (N,)."""

    def __init__(self, states_size: int, robots: int):
        super().__init__()
        self.hidden = nn.Linear(states_size + 1, HIDDEN)
        self.said = nn.Linear(HIDDEN, robots)

    def forward(self, states: Tensor, rewards: Tensor) -> Tensor:
        known = torch.cat([states, rewards[:, None]], dim=-1)
        return self.said(relu(self.hidden(known))).sigmoid()


def shares_of(said: Tensor, rho: float) -> Tensor:
    """rho^j (N, R), how much of the reward each robot gets.

    said  (N, R) rho_R of the network
    rho   0..1, the part that the network shares out
    """
    return (1 - rho) / said.shape[-1] + rho * said


def shares_loss(said: Tensor) -> Tensor:
    """L_rho (N,)"""
    return (1 - said.sum(-1)).square()


def rest_loss(said: Tensor, rewards: Tensor, rho: float) -> Tensor:
    """L_sigma (N,), the squared rest of rewards (N,) that nobody gets."""
    given = shares_of(said, rho) * rewards[:, None]
    return (rewards - given.sum(-1)).square()


class Sharing:
    """`reward` of `agents.ppo.plugins` with rho and, if it is 0 or more, a network that learns.

    loss  "weights": L_rho, or "reward": L_sigma
    """

    def __init__(
        self,
        rho: float,
        robots: int,
        assignment: RewardAssignment | None,
        config: PPOConfig,
        ranks: Ranks,
        loss: str = "weights",
    ):
        check_choice("loss of the assignment", loss, LOSSES)
        if (assignment is None) != (rho == NO_SHARING):
            raise ValueError(f"a network shares rewards out if rho is not -1, got {rho}")
        self.rho, self.assignment, self.config, self.ranks = rho, assignment, config, ranks
        self.loss = loss
        self.fixed = torch.from_numpy(shares(rho, robots)).float()
        self._played: list[tuple[Tensor, Tensor]] = []  # since the last update
        self.optimiser: torch.optim.Optimizer | None = None
        if assignment is not None:
            self.optimiser = torch.optim.Adam(
                assignment.parameters(), lr=config.learning_rate, eps=config.adam_eps
            )

    def __call__(self, rewards: Tensor, output: PolicyOutput) -> Tensor:
        """(N, R) what each robot is paid of the rewards (N,) of its team."""
        if self.assignment is None:
            return rewards[:, None] * self.fixed.to(rewards.device)
        with torch.no_grad():
            said = self.assignment(output.state, rewards)
        self._played.append((output.state, rewards))
        return shares_of(said, self.rho) * rewards[:, None]

    def learn(self, rollout: Rollout, update: int) -> dict[str, float]:
        """`after_update`: the loss to log, its mean over the valid steps.

        Raises FloatingPointError if it is not finite.
        """
        if self.assignment is None or self.optimiser is None:
            return {}
        states, rewards = (torch.cat(each) for each in zip(*self._played, strict=True))
        self._played.clear()
        valid = rollout.valid.flatten()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate_at(update)
        total = 0.0
        for _ in range(self.config.epochs):
            loss = self._loss(states[valid], rewards[valid])
            if not loss.isfinite():
                raise FloatingPointError(f"the loss of the shares of update {update} is {loss}")
            self.optimiser.zero_grad()
            loss.backward()
            self.ranks.average_gradients(self.assignment)
            nn.utils.clip_grad_norm_(self.assignment.parameters(), self.config.max_grad_norm)
            self.optimiser.step()
            total += loss.item()
        return {"shares_loss": total / self.config.epochs}

    def _loss(self, states: Tensor, rewards: Tensor) -> Tensor:
        said = self.assignment(states, rewards)
        if self.loss == "reward":
            return rest_loss(said, rewards, self.rho).mean()
        return shares_loss(said).mean()
