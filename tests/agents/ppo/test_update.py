"""One update does what its formulas say, and nothing with numbers that are none."""

import math

import pytest
import torch

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.losses import gae, log_prob
from av_envs.agents.ppo.policy import GRUPolicy
from av_envs.agents.ppo.update import PPO
from tests.agents.ppo.made_rollout import made_rollout, sliced

FIRST = PPOConfig(epochs=1, minibatches=1, max_grad_norm=1e9, entropy_coef=0.0)


def policy_of(seed: int = 3) -> GRUPolicy:
    torch.manual_seed(seed)
    return GRUPolicy(3, 2, hidden=8)


def test_the_first_gradient_is_that_of_the_plain_policy_gradient():
    """No clip is active before the first step, so that all is known without the losses."""
    policy, rollout = policy_of(), made_rollout(policy_of(), 4)
    ppo = PPO(policy, FIRST)
    ppo.update(rollout, 0)
    found = [weight.grad.clone() for weight in policy.parameters()]

    again = policy_of()
    output = again(rollout.features, rollout.state, rollout.starts)
    advantages = gae(
        rollout.rewards, rollout.values, rollout.dones, rollout.last_value, 0.99, 0.95,
        rollout.final_values,
    )  # fmt: skip
    returns, valid = advantages + rollout.values, rollout.valid
    chosen = advantages[valid]
    gained = (advantages - chosen.mean()) / (chosen.std(unbiased=False) + 1e-5)
    taken = -(gained * log_prob(output.logits, rollout.actions))[valid].mean()
    (taken + 0.5 * 0.5 * (output.values - returns)[valid].square().mean()).backward()
    for weight, gradient in zip(again.parameters(), found, strict=True):
        torch.testing.assert_close(gradient, weight.grad, rtol=1e-4, atol=1e-6)


def test_invalid_steps_change_nothing():
    one, other = policy_of(), policy_of()
    rollout = made_rollout(policy_of(), 4)
    PPO(one, FIRST).update(rollout, 0)
    assert not rollout.valid.all()
    rollout.log_probs[~rollout.valid] += 5
    rollout.actions[~rollout.valid] = 1
    PPO(other, FIRST).update(rollout, 0)
    assert all(map(torch.equal, one.parameters(), other.parameters()))


def test_minibatches_together_have_the_gradient_of_the_whole():
    """With equally many valid steps in each of them and a rate that moves nothing."""
    sums = {}
    for count in (1, 2):
        policy = policy_of()
        rollout = made_rollout(policy_of(), 4)
        rollout.valid.fill_(True)
        ppo = PPO(policy, PPOConfig(epochs=1, minibatches=count, max_grad_norm=1e9))
        gradients = []
        ppo.optimiser.step = lambda policy=policy, gradients=gradients: gradients.append(
            torch.cat([weight.grad.flatten() for weight in policy.parameters()])
        )
        ppo.update(rollout, 0)
        assert len(gradients) == count
        sums[count] = torch.stack(gradients).mean(0)
    torch.testing.assert_close(sums[1], sums[2], rtol=1e-4, atol=1e-6)


def test_what_is_logged():
    policy = policy_of()
    ppo = PPO(policy, PPOConfig(epochs=1, updates=10))
    scalars = ppo.update(made_rollout(policy_of(), 4), 5)
    assert scalars["entropy"] == pytest.approx(math.log(2), abs=1e-3)
    assert scalars["approx_kl"] == pytest.approx(0, abs=1e-6)
    assert scalars["clip_fraction"] == 0
    assert scalars["policy_loss"] == pytest.approx(0, abs=1e-5)  # advantages have mean 0
    assert scalars["learning_rate"] == ppo.optimiser.param_groups[0]["lr"] == pytest.approx(5e-5)
    assert scalars["clip"] == pytest.approx(0.05)
    assert scalars["explained_variance"] < 1
    loss = scalars["policy_loss"] + 0.5 * scalars["value_loss"] - 0.01 * scalars["entropy"]
    assert scalars["loss"] == pytest.approx(loss, abs=1e-5)


def test_an_auxiliary_loss_sees_labels_and_is_added():
    seen = []

    def auxiliary_loss(output, batch):
        seen.append(batch.labels["truth"].shape)
        return (output.values - batch.labels["truth"]).square().mean()

    policy = policy_of()
    scalars = PPO(policy, FIRST, auxiliary_loss=auxiliary_loss).update(
        made_rollout(policy_of(), 4), 0
    )
    assert seen == [(6, 4)]
    loss = scalars["policy_loss"] + 0.5 * scalars["value_loss"] + scalars["auxiliary_loss"]
    assert scalars["loss"] == pytest.approx(loss, abs=1e-5)


def test_it_learns_what_pays():
    """Of two actions, one is rewarded: it becomes the likelier one."""
    policy = policy_of()
    ppo = PPO(policy, PPOConfig(learning_rate=1e-2, learning_rate_decay=False))
    for number in range(5):
        with torch.no_grad():
            rollout = made_rollout(policy, 8)
        rollout.rewards.copy_(rollout.actions.float())
        ppo.update(rollout, number)
    output = policy(rollout.features, rollout.state, rollout.starts)
    assert output.logits.softmax(-1)[..., 1].mean() > 0.7


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
@pytest.mark.parametrize("where", ["rewards", "log_probs"])
def test_no_weight_becomes_nan(where, number):
    policy = policy_of()
    before = [weight.clone() for weight in policy.parameters()]
    rollout = made_rollout(policy_of(), 4)
    getattr(rollout, where)[1, 2] = -number if where == "log_probs" else number
    with pytest.raises(FloatingPointError, match=r"not finite in update 7, epoch 0"):
        PPO(policy, PPOConfig()).update(rollout, 7)
    assert all(map(torch.equal, before, policy.parameters()))


def test_slices_of_a_rollout_are_what_they_say():
    rollout = made_rollout(policy_of(), 4)
    part = sliced(rollout, slice(2, 4))
    assert torch.equal(part.rewards, rollout.rewards[:, 2:])
    assert torch.equal(part.state, rollout.state[2:])
