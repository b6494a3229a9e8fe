"""PPO is good apart from any task of this package: two known problems, to the end.

CartPole: settings of RL Baselines3 Zoo (Raffin, 2020), 100,000 steps. The cue is remembered by
a recurrent policy and by no other, whose best is the mean of a guess, 0.5.
"""

from functools import partial

import gymnasium as gym
import pytest
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import nn

from av_envs.agents.ppo.collect import Collector
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.policy import GRUPolicy, MLPPolicy
from av_envs.agents.ppo.train import train
from tests.agents.ppo.small_envs import Cue, side_by_side

CARTPOLE = PPOConfig(
    updates=390, rollout=32, epochs=20, gamma=0.98, gae_lambda=0.8, clip=0.2, entropy_coef=0.0,
    learning_rate=1e-3, clip_value=False, checkpoint_every=100,
)  # fmt: skip
CUE = PPOConfig(
    updates=60, rollout=16, epochs=4, minibatches=2, clip=0.2, learning_rate=3e-3,
    clip_value=False, checkpoint_every=30,
)  # fmt: skip
STEPS = 8  # of an episode with a cue
CPU = torch.device("cpu")


def learned(envs: VectorEnv, policy: nn.Module, config: PPOConfig, out) -> nn.Module:
    train(envs, policy, config, agent="known", seed=1, out=out, shows_progress=False)
    return policy


def mean_reward(envs: VectorEnv, policy: nn.Module, steps: int) -> float:
    """Of the episodes that end within so many steps of moves drawn from the policy."""
    config = PPOConfig(rollout=steps, truncation="terminal")
    collector = Collector(envs, policy, config, Plugins(), CPU)
    collector.reset([1000 + i for i in range(envs.num_envs)])
    collector.collect()
    count, rewards, _ = collector.episodes.tolist()
    return rewards / count


def cartpoles(count: int, mode: str) -> VectorEnv:
    kwargs = {"autoreset_mode": AutoresetMode(mode)}
    return gym.make_vec("CartPole-v1", count, vectorization_mode="sync", vector_kwargs=kwargs)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_pole_stays_up(tmp_path, mode):
    torch.manual_seed(1)
    policy = learned(cartpoles(8, mode), MLPPolicy(4, 2), CARTPOLE, tmp_path)
    reward = mean_reward(cartpoles(32, "NextStep"), policy, 1001)
    print(f"CartPole-v1, {mode}: {reward:.1f}")
    assert reward >= 475


@pytest.mark.slow
def test_a_cue_is_remembered(tmp_path):
    rewards = {}
    for make in (GRUPolicy, MLPPolicy):
        torch.manual_seed(1)
        envs = partial(side_by_side, partial(Cue, STEPS))
        policy = learned(envs(16), make(2, 2, hidden=32), CUE, tmp_path / make.__name__)
        rewards[make] = mean_reward(envs(64), policy, 10 * STEPS)
        print(f"cue, {make.__name__}: {rewards[make]:.3f}")
    assert rewards[GRUPolicy] > 0.97
    assert 0.4 < rewards[MLPPolicy] < 0.6
