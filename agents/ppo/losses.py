"""What PPO computes from numbers: advantages and losses, as pure functions of tensors.

Tensors are time-major: T steps of N environments. Losses come per step, (T, N) float, so that
whoever takes the mean decides which steps count. In teams of R robots every robot has values,
rewards and actions of its own: what is (T, N) may be (T, N, R), except for `dones`.

PPO: Schulman et al., "Proximal Policy Optimization Algorithms", 2017. GAE: Schulman et al.,
"High-Dimensional Continuous Control Using Generalized Advantage Estimation", ICLR 2016.
"""

import torch
from torch import Tensor

ADVANTAGE_EPS = 1e-5  # beneath the deviation


def gae(
    rewards: Tensor,
    values: Tensor,
    dones: Tensor,
    last_value: Tensor,
    gamma: float,
    lam: float,
    final_values: Tensor | None = None,
) -> Tensor:
    """Advantages (T, N) float, equation 16 of the paper on GAE.

    rewards       (T, N) float, of the step
    values        (T, N) float, before the step
    dones         (T, N) bool, the episode ended with the step
    last_value    (N,) float, after the last step; not looked at where that was done
    gamma, lam    discount and its exponential weight, per step
    final_values  (T, N) float, where `dones`: the value of what an episode ended with, which is
                  0 if it terminated; None: 0 everywhere
    """
    if final_values is None:
        final_values = torch.zeros_like(values)
    following = torch.cat([values[1:], last_value[None]])
    dones = alongside(dones, values)
    deltas = rewards + gamma * torch.where(dones, final_values, following) - values
    decay = gamma * lam * (~dones).to(values.dtype)
    advantages = torch.empty_like(values)
    carried = torch.zeros_like(last_value)
    for t in reversed(range(len(rewards))):
        carried = torch.add(deltas[t], decay[t] * carried, out=advantages[t])
    return advantages


def alongside(of_steps: Tensor, values: Tensor) -> Tensor:
    """What is known of steps (T, N), for every robot where values are (T, N, R)."""
    return of_steps if of_steps.ndim == values.ndim else of_steps[..., None].expand_as(values)


def normalised(advantages: Tensor, mean: Tensor | float, variance: Tensor | float) -> Tensor:
    """Advantages (T, N) shifted and scaled by the moments of all that are learned from."""
    deviation = torch.as_tensor(variance, dtype=advantages.dtype).sqrt()
    return (advantages - mean) / (deviation + ADVANTAGE_EPS)


def log_prob(logits: Tensor, actions: Tensor) -> Tensor:
    """(T, N) nats, of the actions (T, N) int64 under logits (T, N, A)."""
    return logits.log_softmax(-1).gather(-1, actions[..., None]).squeeze(-1)


def entropy(logits: Tensor) -> Tensor:
    """(T, N) nats, of the distributions with logits (T, N, A)."""
    log_probs = logits.log_softmax(-1)
    # An action that cannot be taken has the logit -inf and adds nothing, not nan.
    finite = log_probs.clamp(min=torch.finfo(log_probs.dtype).min)
    return -(log_probs.exp() * finite).sum(-1)


def clipped_policy_loss(
    log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> Tensor:
    """(T, N), the negative of the clipped surrogate, equation 7 of the paper on PPO.

    log_probs, old_log_probs  (T, N) nats, of the action now and when it was taken
    """
    ratio = (log_probs - old_log_probs).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def clipped_value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, clip: float | None
) -> Tensor:
    """(T, N), half the squared error, of the clipped value where that is worse.

    values, old_values  (T, N), now and when the step was taken
    clip                most that a value gains by moving; None: no limit

    As in the code of Schulman et al. (OpenAI baselines, ppo2); the paper does not clip values.
    """
    loss = (values - returns).square()
    if clip is not None:
        moved = old_values + (values - old_values).clamp(-clip, clip)
        loss = torch.maximum(loss, (moved - returns).square())
    return 0.5 * loss
