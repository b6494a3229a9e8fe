"""A memory that is shown the same episodes again and again errs less and less about them."""

from types import SimpleNamespace

import pytest
import torch

from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE, Ranks
from av_envs.agents.separation.memory_training import LEARNING_RATE, MemoryTraining
from av_envs.agents.separation.networks.memory import (
    MemoryConfig,
    RecurrentRefiner,
    TransformerMemory,
)

CONFIG = PPOConfig(updates=100)
TINY = MemoryConfig(channels=1, layers=1, heads=2, hidden=16, output="residual")
MEMORIES = {
    "transformer": lambda: TransformerMemory(TINY),
    "recurrent": lambda: RecurrentRefiner(4),
}


def rollout(seconds: int = 4, n: int = 3) -> SimpleNamespace:
    """Estimates that are the truth and half as much again."""
    torch.manual_seed(0)
    truth = torch.rand(seconds, n, 512, 32)
    return SimpleNamespace(labels={"passive": 1.5 * truth, "truth": truth})


def training(name: str, look_back: int = 2, ranks=ALONE) -> MemoryTraining:
    torch.manual_seed(1)
    return MemoryTraining(MEMORIES[name](), look_back, CONFIG, ranks, epochs=1, distance="l1")


@pytest.mark.parametrize("name", MEMORIES)
def test_the_loss_falls(name):
    trained, episodes = training(name), rollout()
    losses = [trained(episodes, 0)["memory_loss"] for _ in range(20)]
    assert losses[-1] < 0.95 * losses[0]


def test_at_first_it_errs_as_much_as_the_separator():
    """A residual transformer begins with nothing to add."""
    episodes = rollout()
    error = (episodes.labels["passive"] - episodes.labels["truth"]).abs().mean().item()
    assert training("transformer")(episodes, 0)["memory_loss"] == pytest.approx(error, rel=0.02)


def test_the_learning_rate_falls_with_that_of_the_policy():
    trained, episodes = training("recurrent"), rollout()
    for update, left in ((0, 1.0), (50, 0.5), (99, 0.01)):
        trained(episodes, update)
        assert trained.optimiser.param_groups[0]["lr"] == pytest.approx(left * LEARNING_RATE)


@pytest.mark.parametrize("name", MEMORIES)
def test_the_same_draws_teach_the_same(name):
    made = []
    for _ in range(2):
        trained = training(name)
        trained(rollout(), 0)
        made.append(trained.memory.state_dict())
    assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])


def test_gradients_are_means_over_ranks():
    """Two ranks with the same episodes learn what one alone does."""

    class Two(Ranks):
        def add_up(self, tensors):
            for tensor in tensors:
                tensor *= 2

    alone, both = training("recurrent"), training("recurrent", ranks=Two(count=2))
    for each in (alone, both):
        each(rollout(), 0)
    for one, other in zip(alone.memory.parameters(), both.memory.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", MEMORIES)
def test_a_loss_that_is_no_number_stops_before_it_teaches(name):
    trained, episodes = training(name), rollout()
    before = {key: value.clone() for key, value in trained.memory.state_dict().items()}
    episodes.labels["truth"][:] = torch.nan
    with pytest.raises(FloatingPointError, match="the memory's loss of update 3 is nan"):
        trained(episodes, 3)
    assert all(
        torch.equal(before[key], value) for key, value in trained.memory.state_dict().items()
    )
