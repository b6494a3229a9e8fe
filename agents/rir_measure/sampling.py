"""What a generator is pretrained with: robots that walk at random, or that are put anywhere."""

from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch

from av_envs.agents.rir_measure.generating import Batch
from av_envs.agents.rir_measure.measuring import make_teams
from av_envs.agents.rir_measure.networks.encoders import SenseConfig
from av_envs.agents.rir_measure.senses import Recent, features_of, pairs_of
from av_envs.conventions import N_HEADINGS
from av_envs.rir_measure.actions import Action, pose_after
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.episode import pool_of
from av_envs.rir_measure.observation import azimuth_and_time, position_of
from av_envs.rir_measure.state import Pose
from av_envs.threads import in_threads
from av_envs.worlds.base import Dwelling

SAMPLERS = ("random_policy", "uniform_pairs")
MOVES = (Action.FORWARD, Action.RIGHT + 1)  # lowest, and beyond the highest


class Sampler(Protocol):
    """Draws batches: the same after `begin` with the same seed, of the same generators."""

    def begin(self, seed: int) -> None:
        """Forget what was before."""
        ...

    def batch(self, rng: np.random.Generator) -> Batch:
        """What is learned from next."""
        ...


class RandomWalks:
    """Teams whose robots draw every move blindly; a batch is one step of all teams.

    options  of the environment
    """

    def __init__(
        self, env_id: str, count: int, senses: SenseConfig, moments: int, options: dict[str, Any]
    ):
        self.envs: gym.vector.VectorEnv = make_teams(env_id, count, senses, **options)
        self.senses, self.moments = senses, moments

    def begin(self, seed: int) -> None:
        self._recent = Recent(self.moments)
        n = self.envs.num_envs
        self._starts, self._over = np.ones(n, bool), np.zeros(n, bool)  # with what is observed
        self._observed = self.envs.reset(seed=seed)

    def batch(self, rng: np.random.Generator) -> Batch:
        observation, infos = self._observed
        features = features_of(observation, self.senses)
        moments = self._recent.add(features, torch.from_numpy(self._starts))
        moves = rng.integers(*MOVES, size=self.envs.action_space.shape)
        *now, terminated, truncated, later = self.envs.step(moves)
        self._observed = now[0], later
        self._starts, self._over = self._over, terminated | truncated
        return Batch(moments, torch.from_numpy(infos["rir"]))


class UniformPairs:
    """Robots anywhere in any dwelling, at any time of an episode, after so many random moves.

    size    teams of a batch
    config  options of the environment: which dwellings, how many robots
    """

    def __init__(self, config: MeasureConfig, size: int, senses: SenseConfig, moments: int):
        self.config, self.size, self.senses, self.moments = config, size, senses, moments
        self.pool = pool_of(config)
        self.pairs = pairs_of(config).tolist()

    def begin(self, seed: int) -> None:
        """There is nothing to forget."""

    def batch(self, rng: np.random.Generator) -> Batch:
        made = in_threads(self._one, rng.spawn(self.size), pool="pairs")
        seen, rirs = zip(*made, strict=True)
        rows = {key: np.concatenate([one[key] for one in seen]) for key in seen[0]}
        features = features_of(rows, self.senses)
        moments = {
            key: value.unflatten(0, (self.size, self.moments)) for key, value in features.items()
        }
        return Batch(moments, torch.from_numpy(np.stack(rirs)))

    def _one(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Observations (moments, R, ...), the present first, and responses of one team."""
        dwelling = self.pool.open(self.pool.names[int(rng.integers(self.pool.size))])
        graph, robots = dwelling.scene.graph, self.config.robots
        nodes = rng.choice(len(graph), robots, replace=False).tolist()
        walks = [[(node, int(rng.integers(N_HEADINGS)))] for node in nodes]
        for _ in range(self.moments - 1):
            for walk in walks:
                move = Action(int(rng.integers(*MOVES)))
                walk.append(pose_after(walk[-1], move, graph.neighbours)[0])
        now = int(rng.integers(self.moments - 1, self.config.steps + 1))
        steps = [
            self._observed(dwelling, [walk[-1 - k] for walk in walks], now - k)
            for k in range(self.moments)
        ]
        poses = [walk[-1] for walk in walks]
        rirs = [dwelling.acoustics.rir(poses[e][0], *poses[r]) for e, r in self.pairs]
        return {key: np.stack([one[key] for one in steps]) for key in steps[0]}, np.stack(rirs)

    def _observed(self, dwelling: Dwelling, poses: list[Pose], time: int) -> dict[str, np.ndarray]:
        """(R, ...) by key."""
        positions, share = dwelling.scene.graph.positions, time / self.config.steps
        seen = {
            "azimuth": np.stack([azimuth_and_time(heading, share) for _, heading in poses]),
            "position": np.stack([position_of(positions, pose, None) for pose in poses]),
        }
        if self.senses.channels:
            views = [dwelling.views.view(*pose) for pose in poses]
            seen["rgb"], seen["depth"] = (np.stack(each) for each in zip(*views, strict=True))
        return seen
