"""Walks of a policy, with what an expert would have done and what there was to be heard."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.ppo.rollout import Storage
from av_envs.agents.separation.agent import AgentNetworks
from av_envs.agents.separation.expert import Truths
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.progress import progress_bar

Walks = dict[str, Tensor]  # name -> (T, N, ...): features, and LABELS
LABELS = ("expert", "offset", "starts")
HEARD = ("passive", "truth")  # labels of `Truths` that a memory learns from


class Walking:
    """Collects walks in the houses of a split.

    networks     whose policy walks; it may learn between two rounds
    num_envs     environments side by side
    env_options  of them, with the "steps" of an episode
    kept         names of what is kept of every step, HEARD too if `senses` separate; None: the
                 features and LABELS
    """

    def __init__(
        self,
        networks: AgentNetworks,
        senses: Senses,
        num_envs: int,
        houses: int,
        env_options: dict[str, Any],
        *,
        split: str = "train",
        kept: Sequence[str] | None = None,
    ):
        self.policy, self.senses, self.kept = networks.policy, senses, kept
        self.envs = gym.make_vec(
            "AVDynamicSep-v0",
            num_envs,
            autoreset_mode="SameStep",
            split=split,
            houses=houses,
            reward="si_sdr",
            observations=needed_observations(networks.config.policy),
            **env_options,
        )
        self.steps = env_options["steps"]
        hears = kept is not None and set(HEARD) <= set(kept)
        self.truths = Truths(self.envs.unwrapped, senses if hears else None)

    @torch.no_grad()
    def walks(self, episodes: int, seeds: tuple[int, ...], share: float) -> Walks:
        """At least so many.

        seeds  determine the houses and all that is drawn
        share  of the moves that the expert makes
        """
        n = self.envs.num_envs
        draws = torch.Generator().manual_seed(hash_of(*seeds))
        observation, infos = self.envs.reset(
            seed=np.random.SeedSequence(seeds).generate_state(n).tolist()
        )
        made: list[Walks] = []
        for _ in progress_bar(range(-(-episodes // n)), desc="walking"):
            storage = Storage(self.steps)
            state = self.policy.initial_state(n)
            for t in range(self.steps):
                starts = torch.full((n,), t == 0)
                features = self.senses(observation, starts)
                labels = self.truths(observation, infos)
                output = self.policy(_one_step(features), state, starts[None])
                state = output.state
                moves = torch.multinomial(output.logits[0].softmax(-1), 1, generator=draws)[:, 0]
                by_expert = torch.rand(n, generator=draws) < share
                moves = torch.where(by_expert, labels["expert"], moves)
                made_now = {**_halved(features | labels), "starts": starts}
                wanted = made_now if self.kept is None else self.kept
                storage.write(t, {name: made_now[name] for name in wanted})
                self.senses.moved(moves)
                observation, *_, infos = self.envs.step(moves.numpy())
            made.append(storage.rows(self.steps))
        return {name: torch.cat([one[name] for one in made], dim=1) for name in made[0]}


def hash_of(*numbers: int) -> int:
    """A seed for torch drawn from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def walks_in(folder: Path) -> list[Path]:
    """Files with the walks of a run, in order; ValueError if there are none."""
    found = sorted(folder.glob("walks_*.pt"))
    if not found:
        raise ValueError(f"{folder} has no walks_*.pt; name the --out of another run")
    return found


def count(walks: Walks) -> int:
    """How many they are."""
    return walks["expert"].shape[1]


def batches(rounds: list[Walks], size: int) -> Iterator[Walks]:
    """All walks once, in an order drawn at random, as float32."""
    places = torch.cat(
        [
            torch.stack([torch.full((n,), k), torch.arange(n)], dim=1)
            for k, n in enumerate(map(count, rounds))
        ]
    )
    for chosen in places[torch.randperm(len(places))].split(size):
        parts = [walks_at(rounds[k], chosen[chosen[:, 0] == k, 1]) for k in range(len(rounds))]
        yield {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}


def walks_at(walks: Walks, which: Tensor) -> Walks:
    """Those of the indices `which` (B,), half precision made float32."""
    chosen = {name: value.index_select(1, which) for name, value in walks.items()}
    halves = {name: value.float() for name, value in chosen.items() if value.dtype == torch.half}
    return chosen | halves


def _halved(features: Walks) -> Walks:
    """Sounds in half precision: what they lose is not heard."""
    return {
        name: value.half() if value.dtype == torch.float32 and value.ndim > 2 else value
        for name, value in features.items()
    }


def _one_step(features: Walks) -> Walks:
    return {name: value[None] for name, value in features.items()}
