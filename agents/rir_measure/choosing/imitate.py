"""Learn to choose as a rule does: `... rir_measure.choosing.imitate --out DIR`.

In rounds, teams walk in training dwellings, in the first one as `SpreadOut` does, later as they
have learned; at every step the rule says which of the places it would go to, and the network learns
from all steps so far (Ross et al., "A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning", AISTATS 2011). DIR gets `config.json`, `curve.csv` (a row per round:
how often it agrees with the rule, and coverage of unseen dwellings) and `best.safetensors`, from
which `choosing.train --policy` goes on by reward. Takes a minute; it cannot be resumed.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.curve import add_row
from av_envs.agents.rir_measure.choosing.files import save_chooser
from av_envs.agents.rir_measure.choosing.network import Chooser, ChooserConfig
from av_envs.agents.rir_measure.choosing.places import NEVER, Offer, PlaceBook
from av_envs.agents.rir_measure.choosing.walking import (
    SEED,
    ChoosingTeams,
    chosen_by,
    covered,
    measure_config,
    stacked,
)
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.plugins import load
from av_envs.whole_files import write_whole

TEACHER = "av_envs.baselines.rir_measure:SpreadOut"
FILE = "best.safetensors"
OF_THE_RUN = ("out", "resume", "threads")


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    env: str = option("flats", choices=ENVIRONMENTS)
    robots: int = option(2, type=positive_int)
    hidden: int = option(64, "width of the layers", type=positive_int)
    rounds: int = option(3, type=positive_int)
    num_envs: int = option(8, "teams, an episode each in every round", type=positive_int)
    houses: int = option(32, "dwellings of the split train", type=positive_int)
    val_houses: int = option(10, "of the split val, an episode in each", type=positive_int)
    epochs: int = option(10, "of each round, over all steps so far", type=positive_int)
    batch_size: int = option(256, "steps of a robot", type=positive_int)
    learning_rate: float = option(2e-3)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "not possible")


def advised(book: PlaceBook, offered: Offer) -> np.ndarray:
    """(R, MOST) bool: the places that the rule might go to, all equally good to it.

    None in the row of a robot for which the rule's are not among those that are offered.
    """
    teacher = load(TEACHER, "team")
    survey = book.survey
    actions = np.stack([survey.routes(robot)[0] for robot in range(book.robots)])
    goals = teacher.goals(survey.map, actions) & (actions < NEVER)
    chosen = np.zeros(offered.mask.shape, bool)
    for robot in np.flatnonzero(goals.any(axis=1)):
        places = np.flatnonzero(goals[robot])
        beside = survey.map.neighbours[places]
        unvisited = survey.map.known[beside] & ~survey.map.visited[beside]
        n_open = ((beside >= 0) & unvisited).sum(axis=1)
        costs = actions[robot, places] + teacher.openness * n_open
        best = places[costs == costs.min()]
        chosen[robot] = np.isin(offered.places[robot], best) & offered.mask[robot]
    return chosen


def agreement(logits: Tensor, chosen: Tensor) -> Tensor:
    """(B,) nats, minus the log chance of any of the chosen (B, K) places."""
    return logits.logsumexp(-1) - logits.masked_fill(~chosen, -torch.inf).logsumexp(-1)


class Lessons:
    """Steps of robots that have been walked, and what the rule said."""

    def __init__(self) -> None:
        self.places: list[Tensor] = []
        self.mask: list[Tensor] = []
        self.chosen: list[Tensor] = []

    def add(self, features: dict[str, Tensor], chosen: Tensor) -> None:
        """Features (N, R, ...) and chosen (N, R, K); those without a choice are left out."""
        told = chosen.any(-1)
        self.places.append(features["places"][told].half())
        self.mask.append(features["mask"][told])
        self.chosen.append(chosen[told])

    def learn(self, policy: Chooser, optimiser: torch.optim.Optimizer, args: Args) -> float:
        """Some epochs; how often its best place is one of the rule's, in the last one."""
        parts = (torch.cat(each) for each in (self.places, self.mask, self.chosen))
        places, mask, chosen = parts
        agreed = 0
        for epoch in range(args.epochs):
            agreed = 0
            for rows in torch.randperm(len(places)).split(args.batch_size):
                features = {"places": places[rows][None, None], "mask": mask[rows][None, None]}
                starts = torch.zeros(1, 1, dtype=torch.bool)
                logits = policy(features, policy.initial_state(1), starts).logits[0, 0]
                loss = agreement(logits, chosen[rows]).mean()
                if not loss.isfinite():
                    raise FloatingPointError(f"the loss of epoch {epoch} is {loss}")
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                best = logits.argmax(-1, keepdim=True)
                agreed += int(chosen[rows].gather(-1, best).sum())
        return agreed / len(places)


@torch.no_grad()
def walk(
    envs: ChoosingTeams, policy: Chooser | None, lessons: Lessons, seed: tuple[int, int]
) -> None:
    """An episode of all teams, for the lessons; policy None: they walk as the rule says."""
    rng = np.random.default_rng(seed)
    offers, _ = envs.reset(seed=rng.integers(2**31, size=envs.num_envs).tolist())
    for _ in range(envs.config.steps):
        features = stacked(offers)
        pairs = zip(envs.books, offers, strict=True)
        chosen = np.stack([advised(book, offered) for book, offered in pairs])
        lessons.add(features, torch.from_numpy(chosen))
        if policy is None:
            choices = (chosen * rng.random(chosen.shape)).argmax(-1)
        else:
            one = {name: value[None] for name, value in features.items()}
            starts = torch.zeros(1, envs.num_envs, dtype=torch.bool)
            output = policy(one, policy.initial_state(envs.num_envs), starts)
            choices = output.logits[0].argmax(-1).numpy()
        offers, *_ = envs.step(choices)


def imitate(args: Args) -> None:
    """One run. Raises ValueError for options that cannot be."""
    if args.resume:
        raise ValueError("this takes a minute and cannot be resumed; choose another --out")
    torch.set_num_threads(args.threads or torch.get_num_threads())
    torch.manual_seed(args.seed)
    options = kept_options(args, OF_THE_RUN)
    can_go_on(args.out, options, False, FILE)
    policy, lessons = Chooser(ChooserConfig(args.hidden)), Lessons()
    optimiser = torch.optim.Adam(policy.parameters(), lr=args.learning_rate)
    walked = measure_config(args.env, args.robots, "train", args.houses)
    envs = ChoosingTeams(walked, args.num_envs)
    validated = measure_config(args.env, args.robots, "val", args.val_houses)
    write_whole(args.out / "config.json", options)
    for number in range(args.rounds):
        walk(envs, policy if number else None, lessons, (args.seed, number))
        agreed = lessons.learn(policy, optimiser, args)
        means, ends = covered(chosen_by(policy), validated, range(args.val_houses), SEED)
        row = {"round": float(number), "agreed": agreed, "cr_mean": float(means.mean())}
        row |= {"error": float(means.std() / len(means) ** 0.5), "cr": float(ends.mean())}
        if add_row(args.out / "curve.csv", row, "round", "cr_mean"):
            made = {"command": "av_envs.agents.rir_measure.choosing.imitate", "val": row}
            made["options"] = json.loads(options)
            save_chooser(policy, args.out / FILE, made)


def main(argv: list[str] | None = None) -> int:
    return run_command(
        imitate, Args, "av_envs.agents.rir_measure.choosing.imitate", __doc__, argv, FILE
    )


if __name__ == "__main__":
    sys.exit(main())
