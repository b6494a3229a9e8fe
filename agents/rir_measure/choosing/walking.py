"""Teams that choose places, silent or measuring: the environments in which a `Chooser` learns."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
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
    """An action (N, R) names places by number in the offers, which are what is observed.

    Pays nothing by itself.
    """

    def __init__(self, config: MeasureConfig, count: int):
        super().__init__(config, count)
        self.weights = dict.fromkeys(self.weights, 0.0)
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


class AskedTeams(gym.vector.VectorWrapper):
    """The same with teams that measure: what pays is how far the error on held-out pairs falls.

    envs    of `AVRIRMeasure-v0` with `queries`, whose predictor is asked after 10, 25, 50, 100, ...
            steps; the pairs are drawn anew in each episode and never shown. Autoreset "NextStep"
    weight  of a fall by 1 of the STFT distance
    """

    def __init__(self, envs: gym.vector.VectorEnv, weight: float):
        super().__init__(envs)
        made: Any = envs.unwrapped
        config = made.envs[0].config
        if not config.queries:
            raise ValueError("nothing is asked: the environments have no queries")
        self.weight, self.robots = weight, config.robots
        self.books = [PlaceBook(self.robots) for _ in range(self.num_envs)]

    def reset(self, **arguments: Any) -> tuple[list[Offer], dict[str, Any]]:
        observation, infos = self.env.reset(**arguments)
        self.finds = np.zeros((self.num_envs, self.robots))
        self._errors = np.full(self.num_envs, np.inf)
        self._over = np.zeros(self.num_envs, bool)
        for book in self.books:
            book.reset()
        return self._offers(observation), infos

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        moves = [book.take(chosen) for book, chosen in zip(self.books, actions, strict=True)]
        observation, _, terminated, truncated, infos = self.env.step(np.stack(moves))
        for book, begins in zip(self.books, self._over, strict=True):
            if begins:
                book.reset()
        found = [infos[f"new_nodes_{robot}"] for robot in range(self.robots)]
        self.finds = np.stack(found, axis=1) * ~self._over[:, None]
        errors = np.asarray(infos["pe_query"], float)
        is_known = np.isfinite(errors) & np.isfinite(self._errors) & ~self._over
        rewards = np.zeros(self.num_envs)
        rewards[is_known] = self.weight * (self._errors[is_known] - errors[is_known])
        self._errors, self._over = errors, terminated | truncated
        return self._offers(observation), rewards, terminated, truncated, infos

    def _offers(self, observation: dict[str, np.ndarray]) -> list[Offer]:
        return [
            book.offer({key: value[i] for key, value in observation.items()})
            for i, book in enumerate(self.books)
        ]


def stacked(offers: Sequence[Offer], starts: Any = None) -> Features:
    """Features (N, R, ...) of a `Chooser`; `perceive` of `agents.ppo.plugins`."""
    return {
        "places": torch.from_numpy(np.stack([offer.features for offer in offers])),
        "mask": torch.from_numpy(np.stack([offer.mask for offer in offers])),
    }


class PaidForFinds:
    """`reward` of `agents.ppo.plugins`: `weight` for a node that a robot visits first, `shared`
    times that to the others, and to all what the environment pays.
    """

    def __init__(self, envs: ChoosingTeams | AskedTeams, weight: float, shared: float):
        self.envs, self.weight, self.shared = envs, weight, shared

    def __call__(self, rewards: Tensor, output: PolicyOutput) -> Tensor:
        finds = torch.from_numpy(self.envs.finds).float()
        others = finds.sum(-1, keepdim=True) - finds
        return rewards[:, None] + self.weight * (finds + self.shared * others)


Choice = Callable[[PlaceBook, Offer], np.ndarray]  # to (R,) numbers of places in the offer


def chosen_by(policy: torch.nn.Module) -> Choice:
    """What the policy thinks best."""

    @torch.no_grad()
    def choose(book: PlaceBook, offered: Offer) -> np.ndarray:
        one = {name: value[None] for name, value in stacked([offered]).items()}
        starts = torch.zeros(1, 1, dtype=torch.bool)
        return policy(one, policy.initial_state(1), starts).logits[0, 0].argmax(-1).numpy()

    return choose


def query_errors(choose: Choice, env: gym.Env, houses: Sequence[int], seed: int) -> np.ndarray:
    """(E,) `pe_query_auc`, the error on held-out pairs over an episode in each dwelling.

    env  of `AVRIRMeasure-v0` with `queries`, which observes NEEDED
    """
    measuring: Any = env.unwrapped
    book, errors = PlaceBook(measuring.config.robots), []
    for house in houses:
        book.reset()
        observation, _ = env.reset(seed=seed + house, options={"house": house})
        is_over = False
        while not is_over:
            moves = book.take(choose(book, book.offer(observation)))
            observation, _, terminated, truncated, info = env.step(moves)
            is_over = terminated or truncated
        errors.append(float(info["pe_query_auc"]))
    return np.array(errors)


def covered(
    choose: Choice, config: MeasureConfig, houses: Sequence[int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(E,) mean coverage over the steps, and (E,) at the end, of an episode in each dwelling."""
    means, ends = [], []
    for house in houses:
        team, book = SilentTeam(config), PlaceBook(config.robots)
        team.begin(np.random.default_rng([seed, house]), {"house": house})
        shares = []
        while not team.is_over:
            team.step(book.take(choose(book, book.offer(Seen(team)))))
            shares.append(team.coverage)
        means.append(np.mean(shares))
        ends.append(shares[-1])
    return np.array(means), np.array(ends)
