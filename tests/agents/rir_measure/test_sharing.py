"""MACMARA's split of the reward."""

import pytest
import torch

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE
from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.rir_measure.sharing import (
    RewardAssignment,
    Sharing,
    rest_loss,
    shares_loss,
    shares_of,
)
from tests.agents.ppo.made_rollout import made_rollout
from tests.agents.ppo.test_teams import Alike, GRUPolicy

N, STATES = 5, 16


def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(N, 2), torch.randn(N)


def said_of(states: torch.Tensor) -> PolicyOutput:
    return PolicyOutput(torch.zeros(1, N, 2, 4), torch.zeros(1, N, 2), states)


def sharing(rho: float, loss: str = "weights") -> Sharing:
    torch.manual_seed(1)
    assignment = None if rho == -1 else RewardAssignment(STATES, 2)
    return Sharing(rho, 2, assignment, PPOConfig(learning_rate=0.01), ALONE, loss)


@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
def test_the_two_losses_are_one_but_for_their_weight(rho):
    said, rewards = drawn()
    expected = rho**2 * rewards**2 * shares_loss(said)
    torch.testing.assert_close(rest_loss(said, rewards, rho), expected, atol=1e-6, rtol=1e-4)


def test_any_split_that_sums_to_one_is_as_good():
    _, rewards = drawn()
    for first in (0.0, 0.3, 1.0):
        said = torch.tensor([[first, 1 - first]] * N)
        assert shares_loss(said).abs().max() < 1e-12
        assert rest_loss(said, rewards, 0.4).abs().max() < 1e-12


def test_shares_are_a_half_each_and_more():
    said, _ = drawn()
    torch.testing.assert_close(shares_of(said, 0.0), torch.full((N, 2), 0.5))
    torch.testing.assert_close(shares_of(said, 1.0), said)
    torch.testing.assert_close(shares_of(said, 0.4), 0.3 + 0.4 * said)


def test_without_sharing_every_robot_gets_all():
    _, rewards = drawn()
    given = sharing(-1.0)(rewards, said_of(torch.zeros(N, STATES)))
    torch.testing.assert_close(given, rewards[:, None].expand(-1, 2))


def test_no_gradient_leads_from_rewards_to_memories_or_shares():
    _, rewards = drawn()
    states = torch.randn(N, STATES, requires_grad=True)
    given = sharing(0.4)(rewards, said_of(states))
    assert not given.requires_grad


@pytest.mark.parametrize("loss", ["weights", "reward"])
def test_shares_learn_to_sum_to_one(loss):
    made, (_, rewards) = sharing(0.4, loss), drawn()
    rollout = made_rollout(GRUPolicy(3, 2, hidden=8), N)
    states = torch.randn(len(rollout.valid), N, STATES)
    losses = []
    for update in range(40):
        for step in states:
            made(rewards, said_of(step))
        losses.append(made.learn(rollout, update)["shares_loss"])
    assert losses[-1] < 0.1 * losses[0]
    assert Sharing.learn(sharing(-1.0), rollout, 0) == {}


def test_steps_that_begin_an_episode_do_not_count():
    rewards = drawn()[1]
    rollout = made_rollout(Alike().one, N)
    assert not rollout.valid.all()
    weights = []
    for spoilt in (1.0, 50.0):
        made = sharing(0.4, "reward")
        for valid in rollout.valid:
            paid = torch.where(valid, rewards, rewards * spoilt)
            made(paid, said_of(torch.ones(N, STATES)))
        made.learn(rollout, 0)
        weights.append(torch.nn.utils.parameters_to_vector(made.assignment.parameters()))
    assert torch.equal(*weights)


def test_a_network_comes_with_rho():
    with pytest.raises(ValueError, match=r"if rho is not -1, got 0\.4"):
        Sharing(0.4, 2, None, PPOConfig(), ALONE)
    with pytest.raises(ValueError, match="loss of the assignment"):
        sharing(0.4, "none")
