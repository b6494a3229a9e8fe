"""How the generator learns: from what robots saw and measured, by itself or beside the policy.

Its weights are no part of the policy, so no gradient of it reaches those, nor the other way round.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE, Ranks
from av_envs.agents.ppo.rollout import Rollout
from av_envs.agents.rir_measure.losses import rir_loss
from av_envs.agents.rir_measure.networks.generator import RIRGenerator
from av_envs.agents.rir_measure.senses import OF_ACTING, Features, ends_of

MAX_GRAD_NORM = 0.5
TRUTH = "rirs"  # label of the rollout: (T, N, P, 2, 16000) float16


def teams_at_once(device: torch.device) -> int:
    """Whose pairs go through network and loss together; gradients add up.

    Spectrograms of more do not fit into the cache of a processor, and take twice as long.
    """
    return 8 if device.type == "cpu" else 128


@dataclass(frozen=True)
class Batch:
    """What B teams observe, and what was measured between their robots.

    moments  (B, moments, R, ...), see `senses.Recent`
    rirs     (B, P, 2, 16000) float
    """

    moments: Features
    rirs: Tensor

    def part(self, rows: slice) -> "Batch":
        """Some of the teams."""
        return Batch({key: value[rows] for key, value in self.moments.items()}, self.rirs[rows])


class GeneratorTraining:
    """An optimiser of the generator.

    pairs      (P, 2) of what is measured, see `senses.pairs_of`
    mse_share  w^MSE, see `losses.rir_loss`
    """

    def __init__(
        self,
        generator: RIRGenerator,
        pairs: Tensor,
        mse_share: float,
        learning_rate: float,
        ranks: Ranks = ALONE,
    ):
        self.generator, self.mse_share, self.ranks = generator, mse_share, ranks
        self.pairs = pairs
        self.optimiser = torch.optim.Adam(generator.parameters(), lr=learning_rate, eps=1e-5)

    def step(self, batch: Batch, rate: float, when: str) -> float:
        """One step of the optimiser; the loss before it.

        rate  its learning rate
        when  said in the FloatingPointError for a loss or a gradient that is not finite
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        total, count = 0.0, len(batch.rirs)
        together = teams_at_once(batch.rirs.device)
        for first in range(0, count, together):
            part = batch.part(slice(first, first + together))
            predicted = self.generator(ends_of(part.moments, self.pairs))
            loss = rir_loss(part.rirs.float().flatten(0, 1), predicted, self.mse_share)
            loss = loss * len(part.rirs) / count
            loss.backward()
            total += loss.item()
        self.ranks.average_gradients(self.generator)
        norm = nn.utils.clip_grad_norm_(self.generator.parameters(), MAX_GRAD_NORM)
        if not torch.isfinite(norm + total):
            raise FloatingPointError(f"the generator's loss or its gradient {when} is not finite")
        self.optimiser.step()
        return total


class LearnsFromRollouts:
    """`after_update` of `agents.ppo.plugins` for the generator.

    steps  of the optimiser per update
    teams  moments of teams in each of them, drawn from the rollout; 0: all
    """

    def __init__(self, training: GeneratorTraining, config: PPOConfig, steps: int, teams: int):
        self.training, self.config, self.steps, self.teams = training, config, steps, teams

    def __call__(self, rollout: Rollout, update: int) -> dict[str, float]:
        rate = self.config.learning_rate_at(update)
        moments = self.training.generator.moments
        rows = remembered_rows(rollout.starts, rollout.valid, moments)
        total = 0.0
        for _ in range(self.steps):
            chosen = rows[torch.randperm(len(rows))[: self.teams or None].to(rows.device)]
            batch = batch_at(rollout, chosen, moments)
            total += self.training.step(batch, rate, f"of update {update}")
        return {"generator_loss": total / self.steps}


def remembered_rows(starts: Tensor, valid: Tensor, moments: int) -> Tensor:
    """(K, 2) int64, step and team, of what is known with all moments before; see `Rollout`.

    Where the episode began before the rollout, the first steps lack what came before them.
    """
    steps = torch.arange(len(starts), device=starts.device)[:, None]
    is_known = (steps >= moments - 1) | (begun_at(starts) >= 0)
    return (is_known & valid).nonzero()


def begun_at(starts: Tensor) -> Tensor:
    """(T, N) int64, at which step the present episode began; -1: before the rollout."""
    steps = torch.arange(len(starts), device=starts.device)[:, None]
    return torch.where(starts, steps, -1).cummax(0).values


def batch_at(rollout: Rollout, rows: Tensor, moments: int) -> Batch:
    """What was observed and measured at these steps of teams (K, 2), with what came before."""
    step, team = rows.unbind(-1)
    first = begun_at(rollout.starts)[step, team].clamp(min=0)
    back = torch.arange(moments, device=rows.device)
    times = torch.maximum(step[:, None] - back, first[:, None])  # (K, moments)
    seen = {
        key: value[times, team[:, None]]
        for key, value in rollout.features.items()
        if key not in OF_ACTING
    }
    return Batch(seen, rollout.labels[TRUTH][step, team])
