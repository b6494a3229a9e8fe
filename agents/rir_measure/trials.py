"""What a team is worth in validation dwellings while it learns."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.measuring import MeasuringTeams, make_teams
from av_envs.agents.rir_measure.team import TeamNetworks
from av_envs.rir_measure.metrics.episode import wcr

AT_ONCE = 20  # teams side by side
SEED = 1_000_000  # of the first episode


class Trials:
    """The same episodes in validation dwellings again and again, with moves drawn as in training.

    options  of the environments, without the split
    disturb  what is put around them, to change what is observed; None: nothing
    """

    def __init__(
        self,
        env_id: str,
        networks: TeamNetworks,
        device: torch.device,
        episodes: int,
        houses: int,
        options: dict[str, Any],
        disturb: Callable[[gym.vector.VectorEnv], gym.vector.VectorEnv] | None = None,
    ):
        self.env_id, self.networks, self.device = env_id, networks, device
        self.episodes, self.disturb = episodes, disturb
        self.options = {**options, "split": "val", "houses": houses, "alpha_xi": 1.0}

    def scores(self) -> dict[str, float]:
        """Means over the episodes: coverage `cr`, prediction error `pe`, and `wcr` of both."""
        coverage, errors = [], []
        for first in range(0, self.episodes, AT_ONCE):
            count = min(AT_ONCE, self.episodes - first)
            cr, pe = self._play_together(SEED + first, count)
            coverage.append(cr)
            errors.append(pe)
        cr, pe = np.concatenate(coverage), np.concatenate(errors)
        error = cr.std(ddof=1) / np.sqrt(len(cr)) if len(cr) > 1 else 0.0
        return {
            "wcr": float(np.mean(wcr(cr, pe))),
            "cr": float(cr.mean()),
            "cr_error": float(error),
            "pe": float(pe.mean()),
        }

    @torch.no_grad()
    def _play_together(self, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(count,) coverage at the end and mean distance of the predictions of each episode."""
        senses, policy = self.networks.config.senses, self.networks.policy
        made = make_teams(self.env_id, count, senses, autoreset_mode="Disabled", **self.options)
        around = made if self.disturb is None else self.disturb(made)
        maps = Maps(self.networks.config.policy, count)
        generator = self.networks.generator
        envs = MeasuringTeams(around, generator, senses, self.device, maps=maps)
        draws = torch.Generator(self.device).manual_seed(seed)
        state = policy.initial_state(count)
        starts = torch.ones(1, count, dtype=torch.bool, device=self.device)
        features, _ = envs.reset(seed=seed)
        deltas = []
        for _ in range(made.envs[0].config.steps):
            output = policy({key: each[None] for key, each in features.items()}, state, starts)
            state, starts = output.state, torch.zeros_like(starts)
            chances = output.logits[0].softmax(-1)
            moves = torch.multinomial(chances.flatten(0, 1), 1, generator=draws).view(count, -1)
            features, *_, infos = envs.step(moves.cpu().numpy())
            deltas.append(envs.deltas)
        envs.close()
        return np.asarray(infos["cr"], float), np.mean(deltas, axis=0)
