"""Learning: one update of the weights from one rollout of every rank."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE, Ranks
from av_envs.agents.ppo.losses import (
    clipped_policy_loss,
    clipped_value_loss,
    entropy,
    gae,
    log_prob,
    normalised,
)
from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.ppo.rollout import Minibatch, Rollout, minibatches

Scalars = dict[str, float]


class PPO:
    """The optimiser of a policy and what it does with a rollout.

    policy          see `policy.Policy`; the same weights on all ranks
    auxiliary_loss  see `plugins.Plugins`

    All means are over the valid steps of all ranks together, so that it makes no difference how
    environments are dealt out to ranks, even where rollouts were cut short. In teams the terms of
    a step are means over the robots, which act, are paid and are clipped each by itself.
    """

    def __init__(
        self,
        policy: nn.Module,
        config: PPOConfig,
        ranks: Ranks = ALONE,
        auxiliary_loss: Callable[[PolicyOutput, Minibatch], Tensor] | None = None,
    ):
        self.policy, self.config, self.ranks = policy, config, ranks
        self.auxiliary_loss = auxiliary_loss
        self.weights = [each for each in policy.parameters() if each.requires_grad]
        self.optimiser = torch.optim.Adam(
            self.weights, lr=config.learning_rate, eps=config.adam_eps
        )

    def update(self, rollout: Rollout, number: int) -> Scalars:
        """Learn from a rollout; what to log.

        number  of the update, from 0 on

        Raises FloatingPointError before a loss or gradient that is not finite gets into the
        weights, on all ranks alike.
        """
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate_at(number)
        clip = config.clip_at(number)
        advantages = gae(
            rollout.rewards, rollout.values, rollout.dones, rollout.last_value,
            config.gamma, config.gae_lambda, rollout.final_values,
        )  # fmt: skip
        returns = advantages + rollout.values
        mean, variance, explained = self._moments(advantages, returns, rollout.valid)
        if config.normalise_advantages:
            advantages = normalised(advantages, mean, variance)
        taken: list[Scalars] = []
        for epoch in range(config.epochs):
            for batch in minibatches(rollout, advantages, returns, config.minibatches):
                step = self.step(batch, clip)
                if step is None:
                    raise FloatingPointError(
                        f"the loss or its gradient is not finite in update {number}, epoch {epoch}"
                    )
                taken.append(step)
        scalars = {name: sum(step[name] for step in taken) / len(taken) for name in taken[0]}
        rate = self.optimiser.param_groups[0]["lr"]
        return {**scalars, "explained_variance": explained, "learning_rate": rate, "clip": clip}

    def step(self, batch: Minibatch, clip: float) -> Scalars | None:
        """One step of the optimiser; None and no step if the loss or gradient is not finite."""
        output = self.policy(batch.features, batch.state, batch.starts)
        terms = self._terms(output, batch, clip)  # sums over valid steps
        self.optimiser.zero_grad()
        terms["loss"].backward()
        values = torch.stack([term.detach().float() for term in terms.values()])
        gradients = self._gradients()
        self.ranks.add_up([*gradients, values])
        means = values / values[0]
        for gradient in gradients:
            gradient /= values[0]
        norm = nn.utils.clip_grad_norm_(self.weights, self.config.max_grad_norm)
        scalars = dict(zip(terms, means.tolist(), strict=True), grad_norm=norm.item())
        if not torch.tensor([scalars["loss"], scalars["grad_norm"]]).isfinite().all():
            return None
        self.optimiser.step()
        del scalars["steps"]
        return scalars

    def _terms(self, output: PolicyOutput, batch: Minibatch, clip: float) -> dict[str, Tensor]:
        """The number of valid steps, and the sums over them of what is minimised or logged."""
        config, valid = self.config, batch.valid
        logits = output.logits.float()
        log_probs = log_prob(logits, batch.actions)
        change = log_probs - batch.log_probs
        value_clip = clip if config.clip_value else None
        each = {
            "policy_loss": clipped_policy_loss(
                log_probs, batch.log_probs, batch.advantages, clip
            ),
            "value_loss": clipped_value_loss(
                output.values.float(), batch.values, batch.returns, value_clip
            ),
            "entropy": entropy(logits),
            # Schulman, "Approximating KL Divergence", 2020: unbiased, of little variance.
            "approx_kl": change.detach().expm1() - change.detach(),
            "clip_fraction": (change.detach().expm1().abs() > clip).float(),
        }  # fmt: skip
        terms = {
            name: _of_steps(term).masked_fill(~valid, 0.0).sum() for name, term in each.items()
        }
        loss = (
            terms["policy_loss"]
            + config.value_coef * terms["value_loss"]
            - config.entropy_coef * terms["entropy"]
        )
        steps = valid.sum()
        if self.auxiliary_loss is not None:
            terms["auxiliary_loss"] = self.auxiliary_loss(output, batch) * steps
            loss = loss + terms["auxiliary_loss"]
        return {"steps": steps, "loss": loss, **terms}

    def _gradients(self) -> list[Tensor]:
        """Of all weights; zero where a weight had no part, since it may have on another rank."""
        for weight in self.weights:
            if weight.grad is None and self.ranks.count > 1:
                weight.grad = torch.zeros_like(weight)
        return [weight.grad for weight in self.weights if weight.grad is not None]

    def _moments(
        self, advantages: Tensor, returns: Tensor, valid: Tensor
    ) -> tuple[float, float, float]:
        """Mean and variance of the advantages, and how much of the returns the values explain.

        The last is 1 - variance of the advantages / variance of the returns, which is 1 for
        perfect values and 0 for constant ones.
        """
        chosen = [tensor[valid].double() for tensor in (advantages, returns)]
        sums = [torch.tensor(chosen[0].numel(), dtype=torch.float64, device=valid.device)]
        sums += [power.sum() for tensor in chosen for power in (tensor, tensor.square())]
        # On the host, where the loss of a rank is noticed at once, whatever the backend.
        totals = torch.stack(sums).cpu()
        self.ranks.add_up([totals])
        count, *powers = totals.tolist()
        mean, variance = _mean_and_variance(count, *powers[:2])
        _, of_returns = _mean_and_variance(count, *powers[2:])
        return mean, variance, 1 - variance / of_returns if of_returns > 0 else 0.0


def _of_steps(term: Tensor) -> Tensor:
    """(T, N), the mean over the robots of a team where there are (T, N, R)."""
    return term if term.ndim == 2 else term.mean(-1)


def _mean_and_variance(count: float, total: float, squares: float) -> tuple[float, float]:
    mean = total / count
    return mean, max(squares / count - mean**2, 0.0)
