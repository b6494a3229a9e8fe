"""Silent teams that choose places: the environments in which a `Chooser` learns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.ppo.policy import PolicyOutput
from av_envs.agents.rir_measure.choosing.places import Offer, PlaceBook
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.silent import SilentTeam, SilentTeams
from av_envs.registration import VARIANTS
from av_envs.rir_measure.config import MeasureConfig

Features = dict[str, Tensor]
SEED = 1_000_000  # of validations


def measure_config(env: str, robots: int, split: str, houses: int) -> MeasureConfig:
    """Of dwellings of a split; `env` is a key of ENVIRONMENTS."""
    options = {"split": split, "houses": houses, "robots": robots}
    return MeasureConfig.from_keywords(**{**VARIANTS[ENVIRONMENTS[env]][1], **options})


class ChoosingTeams(SilentTeams):
    """An action (N, R) names places by number in the offers, which are what is observed."""

    def __init__(self, config: MeasureConfig, count: int):
        super().__init__(config, count)
        self.books = [PlaceBook(config.robots) for _ in range(count)]

    def begun(self, i: int) -> None:
        self.books[i].reset()

    def moves_of(self, i: int, action: np.ndarray) -> np.ndarray:
        return self.books[i].take(action)

    def observed(self) -> list[Offer]:
        pairs = zip(self.books, self.teams, strict=True)
        return [book.offer(Seen(team)) for book, team in pairs]


class Seen(dict):
    """What a team observes; the depth image of a robot is made when it is looked at."""

    def __init__(self, team: SilentTeam):
        super().__init__(team.numbers(), depth=_Depths(team))


class _Depths:
    def __init__(self, team: SilentTeam):
        self._team = team

    def __getitem__(self, robot: int) -> np.ndarray:
        return self._team.dwelling.views.view(*self._team.poses[robot])[1]


def stacked(offers: Sequence[Offer], starts: Any = None) -> Features:
    """Features (N, R, ...) of a `Chooser`; `perceive` of `agents.ppo.plugins`."""
    return {
        "places": torch.from_numpy(np.stack([offer.features for offer in offers])),
        "mask": torch.from_numpy(np.stack([offer.mask for offer in offers])),
    }


class PaidForFinds:
    """`reward` of `agents.ppo.plugins`: 1 for a node that a robot visits first, and `shared`
    times that to the others.
    """

    def __init__(self, envs: SilentTeams, shared: float):
        self.envs, self.shared = envs, shared

    def __call__(self, rewards: Tensor, output: PolicyOutput) -> Tensor:
        finds = torch.from_numpy(self.envs.finds).float()
        return finds + self.shared * (finds.sum(-1, keepdim=True) - finds)


@torch.no_grad()
def coverage_of(
    policy: torch.nn.Module, config: MeasureConfig, houses: Sequence[int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(E,) mean coverage over the steps, and (E,) at the end, of an episode in each dwelling.

    Robots go to the places that the policy thinks best.
    """
    means, ends = [], []
    for house in houses:
        team, book = SilentTeam(config), PlaceBook(config.robots)
        team.begin(np.random.default_rng([seed, house]), {"house": house})
        covered, state = [], policy.initial_state(1)
        while not team.is_over:
            features = stacked([book.offer(Seen(team))])
            one = {name: value[None] for name, value in features.items()}
            output = policy(one, state, torch.zeros(1, 1, dtype=torch.bool))
            team.step(book.take(output.logits[0, 0].argmax(-1).numpy()))
            covered.append(team.coverage)
        means.append(np.mean(covered))
        ends.append(covered[-1])
    return np.array(means), np.array(ends)
