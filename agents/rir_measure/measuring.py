"""Teams that predict what they measure while they play: the environments in which they learn.

The environment leaves accuracy to the learner, `prediction="none"`; here one pass of the generator
predicts the measurements of all teams, and what the predictions gain becomes part of the reward.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from av_envs.agents.ppo.collect import autoreset_mode
from av_envs.agents.rir_measure.generating import TRUTH
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.networks.encoders import SenseConfig
from av_envs.agents.rir_measure.networks.generator import RIRGenerator
from av_envs.agents.rir_measure.senses import (
    Features,
    Recent,
    ends_of,
    features_of,
    needed_observations,
    pairs_of,
)
from av_envs.rir_measure.vector.teams import deferred_xi
from av_envs.threads import available_cores

OTHERS = ("zeta", "psi", "phi")  # components that the environment pays by itself
NO_SCALES = {"xi": 1.0, "zeta": 1.0, "psi": 1.0, "phi": 1.0}


def make_teams(env_id: str, count: int, senses: SenseConfig, **options: Any):
    """So many teams at once, as `MeasuringTeams` wants them; options of the environment."""
    return gym.make_vec(
        env_id,
        count,
        prediction="none",
        expose_rir=True,
        observations=needed_observations(senses),
        **options,
    )


class MeasuringTeams(gym.vector.VectorWrapper):
    """Observes `senses.features_of`, and is paid for accuracy, too.

    envs      of `make_teams`, with autoreset "NextStep", or "Disabled" where all begin together:
              what an episode ended with must be seen before the next one begins
    generator predicts, and is not changed
    scales    factor of each component of the reward, by name: "xi", "zeta", "psi", "phi". If that
              of xi or its weight in the reward is 0, nothing is predicted
    maps      of these teams, if the policy sees any

    `deltas` (N,) are the distances of the last predictions, nan if there was none.
    """

    def __init__(
        self,
        envs: gym.vector.VectorEnv,
        generator: RIRGenerator,
        senses: SenseConfig,
        device: torch.device | str = "cpu",
        scales: Mapping[str, float] | None = None,
        maps: Maps | None = None,
    ):
        mode = autoreset_mode(envs)
        if mode is AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset must be NextStep or Disabled, got {mode.value}")
        super().__init__(envs)
        self.generator, self.senses = generator, senses
        self.device, self.maps = torch.device(device), maps
        self.scales = dict(NO_SCALES if scales is None else scales)
        config = envs.unwrapped.envs[0].config
        self.alpha_xi = config.alpha_xi * self.scales["xi"]
        self.pairs = pairs_of(config, self.device)
        self.workers = min(available_cores(), self.num_envs)

    def reset(self, **arguments: Any) -> tuple[Features, dict[str, Any]]:
        observation, infos = self.env.reset(**arguments)
        self._recent = Recent(self.generator.moments)
        self._xi = np.full(self.num_envs, np.nan)
        self._over = np.ones(self.num_envs, bool)
        features, _ = self._measured(observation, infos)
        self._over[:] = False
        return features, infos

    def step(self, actions: Any) -> tuple[Any, ...]:
        observation, _, terminated, truncated, infos = self.env.step(actions)
        features, gained = self._measured(observation, infos)
        rewards = gained + sum(self.scales[name] * infos[f"r_{name}"] for name in OTHERS)
        self._over = terminated | truncated
        return features, rewards, terminated, truncated, infos

    def _measured(
        self, observation: Mapping[str, Any], infos: Mapping[str, Any]
    ) -> tuple[Features, np.ndarray]:
        """What is observed, and (N,) what accuracy has gained since the step before."""
        features = features_of(observation, self.senses, self.device)
        starts = torch.as_tensor(self._over, device=self.device)
        moments = self._recent.add(features, starts)
        if self.maps is not None:
            features = self.maps.add(features, starts)
        if self.alpha_xi == 0:
            self.deltas = np.full(self.num_envs, np.nan)
            return features, np.zeros(self.num_envs)
        predicted = predicted_rirs(self.generator, moments, self.pairs)
        before = np.where(self._over, np.nan, self._xi)
        gained, self._xi = deferred_xi(infos["rir"], predicted, before, self.alpha_xi, self.workers)
        self.deltas = -self._xi
        return features, gained


@torch.no_grad()
def predicted_rirs(
    generator: RIRGenerator, moments: Mapping[str, Tensor], pairs: Tensor
) -> np.ndarray:
    """(N, P, 2, 16000) float32, see `senses.ends_of`."""
    rirs = generator(ends_of(moments, pairs)).float().cpu().numpy()
    return rirs.reshape(-1, len(pairs), *rirs.shape[1:])


def seen_as_it_is(observation: Features, starts: Tensor) -> Features:
    """`perceive` of `agents.ppo.plugins`: the features that `MeasuringTeams` observes."""
    return observation


def truths(observation: Features, infos: Mapping[str, Any]) -> dict[str, Tensor]:
    """`label` of `agents.ppo.plugins`: what was measured, in half precision."""
    return {TRUTH: torch.from_numpy(infos["rir"]).half()}
