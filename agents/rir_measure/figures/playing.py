"""What happens inside a team while it plays an episode."""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.senses import features_of, needed_observations
from av_envs.agents.rir_measure.team import TeamNetworks
from av_envs.scene import Scene


@dataclass(frozen=True)
class Played:
    """T steps of R robots.

    nodes       (T, R) int, where they were
    headings    (T, R) int
    moves       (T, R) int, what they did then
    states      (T, R, S) float32, what they remembered
    values      (T, R) float32, what they expected still to earn
    """

    scene: Scene
    nodes: np.ndarray
    headings: np.ndarray
    moves: np.ndarray
    states: np.ndarray
    values: np.ndarray


def room(env: str, networks: TeamNetworks, **options: Any) -> gym.Env:
    """An environment that the team can play; nothing is predicted."""
    return gym.make(
        ENVIRONMENTS[env],
        prediction="none",
        robots=networks.config.policy.robots,
        observations=needed_observations(networks.config.senses),
        **options,
    )


@torch.no_grad()
def play(networks: TeamNetworks, env: gym.Env, seed: int, house: int | None = None) -> Played:
    """An episode with moves drawn as in training; in that dwelling of the pool, or any."""
    senses, policy = networks.config.senses, networks.policy
    robots = networks.config.policy.robots
    draws = torch.Generator().manual_seed(seed)
    observation, _ = env.reset(seed=seed, options={} if house is None else {"house": house})
    state, starts, is_over = policy.initial_state(1), torch.ones(1, 1, dtype=torch.bool), False
    rows: list[tuple[np.ndarray, ...]] = []
    maps = Maps(policy.config, 1)
    while not is_over:
        batch = {key: np.asarray(value)[None] for key, value in observation.items()}
        seen = maps.add(features_of(batch, senses), starts[0])
        features = {key: value[None] for key, value in seen.items()}
        output = policy(features, state, starts)
        state, starts = output.state, torch.zeros_like(starts)
        chances = output.logits[0, 0].softmax(-1)
        moves = torch.multinomial(chances, 1, generator=draws)[:, 0].numpy()
        poses = [walk[-1] for walk in env.unwrapped.team.trajectories.values()]
        nodes, headings = np.array(poses).T
        remembered = state.view(robots, -1).numpy().copy()
        rows.append((nodes, headings, moves, remembered, output.values[0, 0].numpy()))
        observation, _, terminated, truncated, _ = env.step(moves)
        is_over = terminated or truncated
    return Played(env.unwrapped.team.scene, *(np.stack(each) for each in zip(*rows, strict=True)))
