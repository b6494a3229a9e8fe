"""Advantages and losses against closed forms."""

import math

import pytest
import torch

from av_envs.agents.ppo.losses import (
    clipped_policy_loss,
    clipped_value_loss,
    entropy,
    gae,
    log_prob,
    normalised,
)

T, N, GAMMA = 7, 3, 0.9


@pytest.fixture
def numbers() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shapes = {"rewards": (T, N), "values": (T, N), "last_value": (N,)}
    return {name: torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}


def never() -> torch.Tensor:
    return torch.zeros(T, N, dtype=torch.bool)


def test_with_lambda_one_returns_are_discounted_sums(numbers):
    advantages = gae(**numbers, dones=never(), gamma=GAMMA, lam=1.0)
    for t in range(T):
        powers = GAMMA ** torch.arange(T - t + 1, dtype=torch.float64)
        earned = torch.cat([numbers["rewards"][t:], numbers["last_value"][None]])
        expected = (powers[:, None] * earned).sum(0)
        torch.testing.assert_close(advantages[t] + numbers["values"][t], expected)


def test_with_lambda_zero_they_are_temporal_differences(numbers):
    following = torch.cat([numbers["values"][1:], numbers["last_value"][None]])
    expected = numbers["rewards"] + GAMMA * following - numbers["values"]
    advantages = gae(**numbers, dones=never(), gamma=GAMMA, lam=0.0)
    torch.testing.assert_close(advantages, expected)


def test_of_a_constant_reward_in_closed_form():
    """Values of zero: a geometric series in gamma * lambda."""
    ones, decay = torch.ones(T, 1, dtype=torch.float64), GAMMA * 0.8
    zero = torch.zeros(1, dtype=torch.float64)
    advantages = gae(ones, 0 * ones, never()[:, :1], zero, GAMMA, 0.8)
    left = torch.arange(T, 0, -1, dtype=torch.float64)
    torch.testing.assert_close(advantages[:, 0], (1 - decay**left) / (1 - decay))


def test_nothing_leaks_out_of_an_episode(numbers):
    dones = never()
    dones[3] = True
    whole = gae(**numbers, dones=dones, gamma=GAMMA, lam=0.95)
    first = {name: tensor[:4] for name, tensor in numbers.items() if name != "last_value"}
    alone = gae(**first, dones=dones[:4], last_value=torch.full((N,), 1e9), gamma=GAMMA, lam=0.95)
    torch.testing.assert_close(whole[:4], alone)


def test_a_truncated_episode_is_worth_its_last_value(numbers):
    """The same as if the rollout had ended there."""
    dones, final_values = never(), torch.zeros(T, N, dtype=torch.float64)
    dones[3], final_values[3] = True, numbers["last_value"]
    whole = gae(**numbers, dones=dones, gamma=GAMMA, lam=0.95, final_values=final_values)
    rewards, values = numbers["rewards"][:4], numbers["values"][:4]
    cut = gae(rewards, values, never()[:4], numbers["last_value"], GAMMA, 0.95)
    torch.testing.assert_close(whole[:4], cut)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),
        (1.15, 2.0, -2.2, 0.0),  # good, and already likelier by more than the clip
        (0.8, 2.0, -1.6, -1.6),  # good, but has become less likely
        (1.15, -2.0, 2.3, 2.3),  # bad, but has become likelier
        (0.8, -2.0, 1.8, 0.0),
    ],
)
def test_clipped_policy_loss(ratio, advantage, loss, slope):
    """The slope is that by the logarithm of the probability: loss itself where not clipped."""
    log_probs = torch.tensor([[math.log(ratio) - 1]], dtype=torch.float64, requires_grad=True)
    old, gained = torch.full((1, 1), -1.0).double(), torch.full((1, 1), advantage).double()
    made = clipped_policy_loss(log_probs, old, gained, 0.1)
    assert made.item() == pytest.approx(loss)
    made.sum().backward()
    assert log_probs.grad.item() == pytest.approx(slope)


@pytest.mark.parametrize(
    ("value", "clip", "loss", "slope"),
    [
        (1.05, 0.1, 0.5 * 0.95**2, -0.95),  # within
        (1.50, 0.1, 0.5 * 0.90**2, 0.0),  # moved too far towards the return 2
        (0.50, 0.1, 0.5 * 1.50**2, -1.5),  # moved away: the worse of both
        (1.50, None, 0.5 * 0.50**2, -0.5),
    ],
)
def test_clipped_value_loss(value, clip, loss, slope):
    values = torch.tensor([[value]], dtype=torch.float64, requires_grad=True)
    made = clipped_value_loss(values, torch.ones(1, 1), torch.full((1, 1), 2.0), clip)
    assert made.item() == pytest.approx(loss)
    made.sum().backward()
    assert values.grad.item() == pytest.approx(slope)


def test_probabilities_are_those_of_torch():
    torch.manual_seed(0)
    logits, actions = torch.randn(T, N, 4), torch.randint(4, (T, N))
    known = torch.distributions.Categorical(logits=logits)
    torch.testing.assert_close(log_prob(logits, actions), known.log_prob(actions))
    torch.testing.assert_close(entropy(logits), known.entropy())


def test_an_impossible_action_adds_no_entropy():
    logits = torch.tensor([[[0.0, 0.0, -math.inf]]], requires_grad=True)
    made = entropy(logits)
    assert made.item() == pytest.approx(math.log(2))
    made.sum().backward()
    assert logits.grad.isfinite().all()


def test_normalised_advantages_have_mean_0_and_deviation_1():
    given = 5 + 3 * torch.randn(T, N, dtype=torch.float64)
    made = normalised(given, given.mean(), given.var(unbiased=False))
    assert made.mean().item() == pytest.approx(0, abs=1e-9)
    assert made.std(unbiased=False).item() == pytest.approx(1, abs=1e-4)
    assert normalised(torch.ones(2, 2), 1.0, 0.0).tolist() == [[0, 0], [0, 0]]
