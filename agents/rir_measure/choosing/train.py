"""Train a team that chooses where to go next."""

import json
import sys
from typing import Any

import gymnasium as gym
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.options.choosing import Args, main
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
from av_envs.agents.runs import can_go_on, kept_options
from av_envs.whole_files import write_whole

OF_THE_RUN = ("out", "resume", "threads")  # no part of what is learnt


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


if __name__ == "__main__":
    sys.exit(main())
