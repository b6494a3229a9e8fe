"""Silent teams that see: the environments in which a team learns where accuracy is not paid."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.networks.encoders import SenseConfig
from av_envs.agents.rir_measure.networks.policy import TeamPolicy
from av_envs.agents.rir_measure.senses import Features, features_of
from av_envs.agents.rir_measure.silent import SilentTeam, SilentTeams
from av_envs.rir_measure.config import MeasureConfig

SEED = 1_000_000  # of the first episode of a validation


class SeeingTeams(SilentTeams):
    """Observes `senses.features_of`, as `measuring.MeasuringTeams` does.

    scales  factor of each component of the reward, by name: "zeta", "psi", "phi"
    maps    of these teams, if the policy sees any
    """

    def __init__(
        self,
        config: MeasureConfig,
        count: int,
        senses: SenseConfig,
        scales: Mapping[str, float],
        maps: Maps | None = None,
    ):
        super().__init__(config, count)
        self.senses, self.maps = senses, maps
        self._begins = torch.zeros(count, dtype=torch.bool)
        self.weights = {name: weight * scales[name] for name, weight in self.weights.items()}
        self._pictures: dict[tuple[str, int, int], torch.Tensor] = {}

    def begun(self, i: int) -> None:
        self._begins[i] = True

    def observed(self) -> Features:
        rows = [team.numbers() for team in self.teams]
        numbers = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
        seen = features_of(numbers, SenseConfig(vision="blind"))
        if self.senses.channels:
            seen["pictures"] = torch.stack([self._seen_by(team) for team in self.teams])
        if self.maps is not None:
            seen = self.maps.add(seen, self._begins)
        self._begins = torch.zeros_like(self._begins)
        return seen

    def _seen_by(self, team: SilentTeam) -> torch.Tensor:
        """(R, channels, side, side) float16; what was seen from a pose is kept."""
        found = []
        for pose in team.poses:
            key = (team.dwelling.scene.name, *pose)
            if key not in self._pictures:
                rgb, depth = team.dwelling.views.view(*pose)
                view: dict[str, Any] = {"rgb": rgb[None, None], "depth": depth[None, None]}
                self._pictures[key] = features_of(view, self.senses)["pictures"][0, 0]
            found.append(self._pictures[key])
        return torch.stack(found)


class SilentTrials:
    """The same episodes in validation dwellings again and again, one in each, all side by side."""

    def __init__(self, config: MeasureConfig, senses: SenseConfig, policy: TeamPolicy):
        scales, count = dict.fromkeys(("zeta", "psi", "phi"), 1.0), config.houses
        self.envs = SeeingTeams(config, count, senses, scales, Maps(policy.config, count))
        self.policy = policy

    @torch.no_grad()
    def scores(self) -> dict[str, float]:
        """Coverage, its mean over the steps `cr_mean` with the error of that, and at the end."""
        envs, covered = self.envs, []
        count = envs.num_envs
        draws = torch.Generator().manual_seed(SEED)
        state, starts = self.policy.initial_state(count), torch.ones(1, count, dtype=torch.bool)
        features, _ = envs.reset(seed=SEED, options={"houses": range(count)})
        for _ in range(envs.config.steps):
            output = self.policy({key: each[None] for key, each in features.items()}, state, starts)
            state, starts = output.state, torch.zeros_like(starts)
            chances = output.logits[0].softmax(-1)
            moves = torch.multinomial(chances.flatten(0, 1), 1, generator=draws).view(count, -1)
            features, *_ = envs.step(moves.numpy())
            covered.append([team.coverage for team in envs.teams])
        means = np.mean(covered, axis=0)
        error = float(means.std() / len(means) ** 0.5)
        return {
            "cr_mean": float(means.mean()), "error": error, "cr": float(np.mean(covered[-1]))
        }  # fmt: skip
