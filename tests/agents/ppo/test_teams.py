"""Several robots in each environment: every one acts, is paid and is clipped by itself."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import MultiDiscrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from av_envs.agents.ppo.collect import Collector
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.losses import gae
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.policy import GRUPolicy, PolicyOutput, flat
from av_envs.agents.ppo.update import PPO
from tests.agents.ppo.made_rollout import made_rollout
from tests.agents.ppo.small_envs import Counting

CPU = torch.device("cpu")
ROBOTS = 2


class Alike(nn.Module):
    """A team of robots with the weights of one policy, each with three numbers of its own."""

    def __init__(self, seed: int = 3):
        super().__init__()
        torch.manual_seed(seed)
        self.one = GRUPolicy(3, 2, hidden=8)

    def initial_state(self, n):
        return self.one.initial_state(n * ROBOTS).view(n, -1)

    def forward(self, features, state, starts):
        seen = flat(features).unflatten(-1, (-1, 3))  # (T, N, R, 3)
        steps, n, robots = seen.shape[:3]
        said = self.one(
            {"seen": seen.flatten(1, 2)},
            state.view(n * robots, -1),
            starts.repeat_interleave(robots, 1),
        )
        return PolicyOutput(
            said.logits.view(steps, n, robots, -1),
            said.values.view(steps, n, robots),
            said.state.view(n, -1),
        )


class Together(Counting):
    """Two robots see what is there, each its own three numbers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.action_space = MultiDiscrete([2] * ROBOTS)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (ROBOTS * 3,))

    def _observation(self):
        return self.np_random.normal(size=ROBOTS * 3).astype(np.float32)


def test_robots_alike_learn_as_twice_as_many_environments():
    """Of two robots in an environment, whose episodes begin and end together."""
    torch.manual_seed(3)
    single, team = GRUPolicy(3, 2, hidden=8), Alike()
    rollout = made_rollout(single, 4 * ROBOTS)

    def same(flags):
        return flags[:, ::ROBOTS].repeat_interleave(ROBOTS, 1)

    together = {name: same(getattr(rollout, name)) for name in ("starts", "dones", "valid")}
    rollout = replace(rollout, **together)

    def by_team(values):
        return values.unflatten(-1, (-1, ROBOTS))

    of_teams = {name: by_team(getattr(rollout, name)) for name in (
        "actions", "log_probs", "values", "rewards", "final_values", "last_value")}  # fmt: skip
    of_teams |= {name: flags[:, ::ROBOTS] for name, flags in together.items()}
    seen = {"seen": rollout.features["seen"].view(6, 4, ROBOTS * 3)}
    teams = replace(rollout, **of_teams, features=seen, state=rollout.state.view(4, -1))
    config = PPOConfig(epochs=3, learning_rate=0.01)
    alone, as_team = PPO(single, config).update(rollout, 0), PPO(team, config).update(teams, 0)
    for one, other in zip(single.parameters(), team.one.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert as_team == pytest.approx(alone, rel=1e-4, abs=1e-6)


def test_advantages_are_those_of_each_robot():
    torch.manual_seed(0)
    rewards, values = torch.randn(2, 7, 3, ROBOTS)
    last, dones = torch.randn(3, ROBOTS), torch.rand(7, 3) > 0.6
    final = torch.randn(7, 3, ROBOTS)
    found = gae(rewards, values, dones, last, 0.9, 0.8, final)
    for k in range(ROBOTS):
        one = gae(rewards[..., k], values[..., k], dones, last[:, k], 0.9, 0.8, final[..., k])
        torch.testing.assert_close(found[..., k], one)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("shared", [False, True], ids=["all to all", "shared out"])
def test_teams_are_played(mode, shared):
    envs = SyncVectorEnv([lambda: Together(lengths=(3,))] * 2, autoreset_mode=AutoresetMode(mode))

    def reward(rewards, output):
        assert output.logits.shape == (1, 2, ROBOTS, 2)
        return rewards[:, None] * torch.tensor([0.25, 0.75])

    plugins = Plugins(reward=reward if shared else None)
    made = Collector(envs, Alike(), PPOConfig(rollout=7), plugins, CPU)
    made.reset([5, 6])
    rollout = made.collect()
    for name in ("actions", "log_probs", "values", "rewards", "final_values"):
        assert getattr(rollout, name).shape == (7, 2, ROBOTS), name
    assert rollout.dones.shape == rollout.valid.shape == (7, 2)
    assert rollout.last_value.shape == (2, ROBOTS)
    one, other = rollout.rewards.unbind(-1)
    torch.testing.assert_close(other, 3 * one if shared else one)
    assert (rollout.final_values[rollout.dones] != 0).all()
    assert (rollout.final_values[~rollout.dones] == 0).all()
    assert {0, 1} == set(rollout.actions.unique().tolist())
    assert torch.isfinite(torch.tensor(PPO(made.policy, PPOConfig()).update(rollout, 0)["loss"]))
