"""Learn where to go next: `python -m av_envs.agents.rir_measure.choosing.train --out DIR`.

The robots draw the map of the rules and walk on it as these do; PPO learns which unvisited place
each one goes to. Robots are paid for the nodes that they visit first, and nothing is measured. With
--queries they do measure, and are paid for how far the error of a predictor on so many held-out
pairs falls, too, or with --finds 0 for that alone.

DIR gets `config.json`, scalars for tensorboard, `checkpoint.pt`, `curve.csv` (a row per validation
in unseen dwellings: coverage, mean over the steps and at the end, and with --queries `xi_query`,
minus the error on held-out pairs over an episode) and `best.safetensors`, the best by the latter or
else by mean coverage, which `av_envs.agents.rir_measure:PlaceChooser` plays. An interrupted run
goes on with the same command and --resume.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import ALONE
from av_envs.agents.ppo.plugins import Plugins
from av_envs.agents.ppo.train import FILE
from av_envs.agents.ppo.train import train as learn
from av_envs.agents.rir_measure.choosing.files import load_chooser, save_chooser
from av_envs.agents.rir_measure.choosing.network import Chooser, ChooserConfig
from av_envs.agents.rir_measure.choosing.places import NEEDED
from av_envs.agents.rir_measure.choosing.walking import (
    SEED,
    AskedTeams,
    ChoosingTeams,
    PaidForFinds,
    chosen_by,
    covered,
    measure_config,
    query_errors,
    stacked,
)
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.runs import can_go_on, kept_options, option, run_command
from av_envs.options import non_negative_int, positive_int
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole

OF_THE_RUN = ("out", "resume", "threads")  # no part of what is learnt


@dataclass(frozen=True, kw_only=True)
class Args:
    """A run: every field is an option of the command line."""

    out: Path = field(
        metadata={"help": "directory of the run", "type": path_argument, "required": True}
    )
    env: str = option("flats", choices=ENVIRONMENTS)
    robots: int = option(2, type=positive_int)
    policy: Path | None = field(
        default=None,
        metadata={"help": "file to begin with, of `choosing.imitate`", "type": path_argument},
    )
    hidden: int = option(64, "width of the layers of a new one", type=positive_int)
    finds: float = option(1.0, "what a node is worth to the robot that visits it first")
    shared: float = option(0.5, "of what a robot finds, to each of the others")
    queries: int = option(0, "held-out pairs of each episode", type=non_negative_int)
    asked: float = option(100.0, "what a fall by 1 of the error on them is worth")
    predictor: str = option("interpolating", "that is asked")
    steps: int = option(200_000, "of all teams together", type=positive_int)
    num_envs: int = option(16, "teams", type=positive_int)
    rollout: int = option(64, "steps of each team per update", type=positive_int)
    epochs: int = option(4, type=positive_int)
    minibatches: int = option(4, type=positive_int)
    learning_rate: float = option(1e-3, "falls to zero")
    clip: float = option(0.2, "falls to zero")
    gamma: float = option(0.97)
    gae_lambda: float = option(0.9)
    entropy: float = option(0.003, "weight of the entropy")
    houses: int = option(32, "dwellings of the split train", type=positive_int)
    val_houses: int = option(20, "of the split val, an episode in each", type=positive_int)
    val_every: int = option(20_000, "steps between validations", type=positive_int)
    threads: int = option(0, "of torch; 0: one per core", type=non_negative_int)
    seed: int = option(0, type=non_negative_int)
    resume: bool = option(False, "go on with the run in --out")


def make_envs(args: Args) -> ChoosingTeams | AskedTeams:
    """The teams that learn."""
    if not args.queries:
        config = measure_config(args.env, args.robots, "train", args.houses)
        return ChoosingTeams(config, args.num_envs)
    options = asked_options(args, "train", args.houses)
    made = gym.make_vec(ENVIRONMENTS[args.env], args.num_envs, autoreset_mode="NextStep", **options)
    return AskedTeams(made, args.asked)


def asked_options(args: Args, split: str, houses: int) -> dict[str, Any]:
    """Of environments whose predictor is asked for held-out pairs."""
    return {
        "split": split,
        "houses": houses,
        "robots": args.robots,
        "predictor": args.predictor,
        "queries": args.queries,
        "observations": NEEDED,
    }


class Trials:
    """What a policy is worth in validation dwellings, an episode in each."""

    def __init__(self, args: Args, policy: Chooser):
        self.config = measure_config(args.env, args.robots, "val", args.val_houses)
        self.choose, self.houses = chosen_by(policy), range(args.val_houses)
        self.score, self.asked = "cr_mean", None
        if args.queries:
            options = asked_options(args, "val", args.val_houses)
            self.score, self.asked = "xi_query", gym.make(ENVIRONMENTS[args.env], **options)

    def scores(self) -> dict[str, float]:
        """A row of the curve, of which `score` says how good it is."""
        means, ends = covered(self.choose, self.config, self.houses, SEED)
        row = {"cr_mean": float(means.mean()), "error": float(means.std() / len(means) ** 0.5)}
        row["cr"] = float(ends.mean())
        if self.asked is not None:
            errors = query_errors(self.choose, self.asked, self.houses, SEED)
            row["xi_query"] = -float(errors.mean())
        return row


def ppo_config(args: Args) -> PPOConfig:
    """Of the run; ValueError for what cannot be."""
    if args.num_envs % args.minibatches:
        raise ValueError(
            f"--minibatches must divide the {args.num_envs} teams, got {args.minibatches}"
        )
    together = args.rollout * args.num_envs
    return PPOConfig(
        updates=-(-args.steps // together),
        rollout=args.rollout,
        epochs=args.epochs,
        minibatches=args.minibatches,
        gamma=args.gamma,
        gae_lambda=args.gae_lambda,
        clip=args.clip,
        clip_value=False,
        entropy_coef=args.entropy,
        learning_rate=args.learning_rate,
        truncation="terminal",
        checkpoint_every=max(1, args.val_every // together),
    )


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    config = ppo_config(args)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    torch.manual_seed(args.seed)
    policy = Chooser(ChooserConfig(args.hidden))
    if args.policy is not None:
        policy = load_chooser(args.policy).train()
    envs = make_envs(args)
    options = kept_options(args, OF_THE_RUN)
    trials = Trials(args, policy)

    def at_checkpoint(update: int) -> dict[str, float]:
        row = {"update": float(update), **trials.scores()}
        if add_row(args.out / "curve.csv", row, "update", trials.score):
            made = {"command": "av_envs.agents.rir_measure.choosing.train", "val": row}
            made["options"] = json.loads(options)
            save_chooser(policy, args.out / "best.safetensors", made)
        return {f"val/{name}": value for name, value in row.items()}

    plugins = Plugins(
        perceive=stacked,
        reward=PaidForFinds(envs, args.finds, args.shared),
        at_checkpoint=at_checkpoint,
    )
    goes_on = can_go_on(args.out, options, args.resume, FILE)
    if not goes_on:
        write_whole(args.out / "config.json", options)
    learn(
        envs, policy, config, plugins, agent="place chooser", seed=args.seed, out=args.out,
        options=json.loads(options), resume=goes_on, ranks=ALONE,
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    return run_command(
        train, Args, "av_envs.agents.rir_measure.choosing.train", __doc__, argv, FILE
    )


if __name__ == "__main__":
    sys.exit(main())
