"""How a memory learns from the rollouts of a policy, in turn with it.

Majumder and Grauman, "Active Audio-Visual Separation of Dynamic Sound Sources", ECCV 2022: after
every update of the policy the memory learns from the same episodes to refine what the passive
separator made of each second, the present one and those before (section 4.3 and supplement).
"""

import torch
from torch import Tensor, nn

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import Ranks
from av_envs.agents.ppo.rollout import Rollout
from av_envs.agents.separation.networks.memory import DISTANCES, TransformerMemory, memory_loss

LEARNING_RATE = 1e-3  # the paper's 5e-3 is for batches of 2,240 seconds on eight processors
AT_ONCE = 16  # episodes


class MemoryTraining:
    """`after_update` of `agents.ppo.plugins` for a memory.

    look_back  E, seconds before the present one that count as much
    config     whose learning rate's decay is followed
    epochs     times that it learns from each episode
    distance   one of `networks.memory.DISTANCES`
    """

    def __init__(
        self,
        memory: nn.Module,
        look_back: int,
        config: PPOConfig,
        ranks: Ranks,
        *,
        epochs: int,
        distance: str,
    ):
        self.memory, self.look_back, self.config, self.ranks = memory, look_back, config, ranks
        self.epochs, self.distance = epochs, distance
        self.optimiser = torch.optim.Adam(memory.parameters(), lr=LEARNING_RATE, eps=1e-5)

    def __call__(self, rollout: Rollout, update: int) -> dict[str, float]:
        """Learn from whole episodes, (T, N) in `rollout.labels`; the mean loss to log.

        Raises FloatingPointError if it is not finite.
        """
        left = self.config.learning_rate_at(update) / self.config.learning_rate
        for group in self.optimiser.param_groups:
            group["lr"] = LEARNING_RATE * left
        estimates = rollout.labels["passive"].transpose(0, 1)  # (N, T, 512, 32)
        truths = rollout.labels["truth"].transpose(0, 1)
        total, count = 0.0, 0
        for _ in range(self.epochs):
            for rows in torch.randperm(len(estimates)).split(AT_ONCE):
                loss = self._loss(estimates[rows].float(), truths[rows].float())
                if not loss.isfinite():
                    raise FloatingPointError(
                        f"the memory's loss of update {update} is {loss.item()}"
                    )
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                self.ranks.average_gradients(self.memory)
                nn.utils.clip_grad_norm_(self.memory.parameters(), self.config.max_grad_norm)
                self.optimiser.step()
                total, count = total + loss.item(), count + 1
        return {"memory_loss": total / count}

    def _loss(self, estimates: Tensor, truths: Tensor) -> Tensor:
        """Of episodes (B, T, 512, 32)."""
        last = torch.randint(estimates.shape[1], (len(estimates),), device=estimates.device)
        return loss_of(self.memory, estimates, truths, last, self.look_back, self.distance)


def loss_of(
    memory: nn.Module,
    estimates: Tensor,
    truths: Tensor,
    last: Tensor,
    look_back: int,
    distance: str,
) -> Tensor:
    """Of a memory of either kind, over episodes (B, T, 512, 32).

    last  (B,) int, the second of each episode that a transformer has heard last; a recurrent
          memory learns from every second, and gradients do not pass from one to the one before
    """
    if isinstance(memory, TransformerMemory):
        rows, seconds = estimates.shape[:2]
        steps = torch.arange(seconds, device=estimates.device).expand(rows, seconds)
        heard = steps <= last[:, None]
        refined = memory(estimates, steps, heard)
        return memory_loss(refined, truths, steps, heard, look_back, distance=distance)
    before, loss = torch.zeros_like(estimates[:, 0]), estimates.new_zeros(())
    for estimate, truth in zip(estimates.unbind(1), truths.unbind(1), strict=True):
        refined = memory(estimate, before)
        loss = loss + DISTANCES[distance](refined, truth).mean() / estimates.shape[1]
        before = refined.detach()
    return loss
