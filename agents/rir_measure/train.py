"""Train a team that measures."""

import json
import sys

import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.devices import device_named
from av_envs.agents.options.team import Args, main
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import RankLostError, Ranks, joined_ranks
from av_envs.agents.ppo.plugins import Plugins, Stateful
from av_envs.agents.ppo.rollout import Rollout
from av_envs.agents.ppo.train import FILE
from av_envs.agents.ppo.train import train as learn
from av_envs.agents.rir_measure.generating import GeneratorTraining, LearnsFromRollouts
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.measuring import (
    MeasuringTeams,
    make_teams,
    seen_as_it_is,
    truths,
)
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.seeing import SeeingTeams, SilentTrials
from av_envs.agents.rir_measure.sharing import Sharing
from av_envs.agents.rir_measure.team import (
    TeamNetworks,
    load_generator,
    load_team,
    save_team,
    team_config,
)
from av_envs.agents.rir_measure.trials import Trials
from av_envs.agents.runs import (
    RunEndedError,
    can_go_on,
    kept_options,
)
from av_envs.registration import VARIANTS
from av_envs.rir_measure.config import MeasureConfig
from av_envs.whole_files import write_whole

# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "device", "backend", "threads")


def make_networks(args: Args) -> TeamNetworks:
    """With weights drawn from torch's own random numbers, but for a generator from a file."""
    networks = TeamNetworks(
        team_config(
            args.preset,
            args.size,
            vision=args.vision,
            kappa=args.kappa,
            rho=args.rho,
            robots=args.env_options.get("robots", 2),
            weights=args.weights,
            critic=args.critic,
            map=args.map,
        )
    )
    if args.generator is not None:
        config = networks.config
        networks.generator = load_generator(args.generator, config.senses, config.generator)
    if args.policy is not None:
        begun, _ = load_team(args.policy, args.preset)
        if begun.config.policy != networks.config.policy:
            raise ValueError(f"{args.policy}: its policy is another, {begun.config.policy}")
        networks.policy = begun.policy.train()
    return networks


def measure_config(args: Args, split: str, houses: int) -> MeasureConfig:
    """Of the environments, with dwellings of a split."""
    options = {**VARIANTS[ENVIRONMENTS[args.env]][1], **args.env_options}
    return MeasureConfig.from_keywords(**{**options, "split": split, "houses": houses})


def make_envs(
    args: Args, networks: TeamNetworks, device: torch.device
) -> MeasuringTeams | SeeingTeams:
    """The teams with which a rank learns."""
    scales = dict(zip(("xi", "zeta", "psi", "phi"), args.recipe.scales, strict=True))
    if args.silent:
        config = measure_config(args, "train", args.houses)
        maps = Maps(networks.config.policy, args.recipe.num_envs)
        return SeeingTeams(config, args.recipe.num_envs, networks.config.senses, scales, maps)
    made = make_teams(
        ENVIRONMENTS[args.env],
        args.recipe.num_envs,
        networks.config.senses,
        autoreset_mode="NextStep",
        split="train",
        houses=args.houses,
        **args.env_options,
    )
    maps = Maps(networks.config.policy, args.recipe.num_envs)
    generator, senses = networks.generator, networks.config.senses
    return MeasuringTeams(made, generator, senses, device, scales, maps)


def ppo_config(args: Args, ranks: Ranks) -> PPOConfig:
    """Of the run. Raises ValueError for what cannot be."""
    chosen = args.recipe
    if chosen.num_envs % chosen.minibatches:
        raise ValueError(
            f"--minibatches must divide the {chosen.num_envs} teams, got {chosen.minibatches}"
        )
    if args.kappa > chosen.rollout:
        raise ValueError(f"--kappa must be at most a rollout, {chosen.rollout}, got {args.kappa}")
    together = chosen.rollout * chosen.num_envs * ranks.count
    return PPOConfig(
        updates=-(-chosen.steps // together),
        rollout=chosen.rollout,
        epochs=chosen.epochs,
        minibatches=chosen.minibatches,
        gamma=chosen.gamma,
        gae_lambda=chosen.gae_lambda,
        clip=chosen.clip,
        clip_decay=chosen.decays,
        clip_value=chosen.clip_value,
        entropy_coef=chosen.entropy,
        learning_rate=chosen.learning_rate,
        learning_rate_decay=chosen.decays,
        checkpoint_every=max(1, args.val_every // together),
    )


def train(args: Args, ranks: Ranks) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    config, device = ppo_config(args, ranks), device_named(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    torch.manual_seed(args.seed)
    networks = make_networks(args).to(device)
    envs, robots = make_envs(args, networks, device), networks.config.policy.robots
    sharing = Sharing(
        networks.config.rho, robots, networks.assignment, config, ranks, args.assign_loss
    )
    kept: dict[str, Stateful] = {"generator": networks.generator}
    generating: LearnsFromRollouts | None = None
    if isinstance(envs, MeasuringTeams):
        training = GeneratorTraining(
            networks.generator, envs.pairs, args.recipe.mse_share, config.learning_rate, ranks
        )
        generating = LearnsFromRollouts(
            training, config, args.recipe.generator_steps, args.recipe.generator_teams
        )
        kept["generator optimiser"] = training.optimiser
    if networks.assignment is not None and sharing.optimiser is not None:
        kept |= {"assignment": networks.assignment, "assignment optimiser": sharing.optimiser}

    def after_update(rollout: Rollout, update: int) -> dict[str, float]:
        of_generator = {} if generating is None else generating(rollout, update)
        return {**of_generator, **sharing.learn(rollout, update)}

    plugins = Plugins(
        perceive=seen_as_it_is,
        reward=sharing,
        label=None if generating is None else truths,
        after_update=after_update,
        at_checkpoint=_Run(args, networks, device).at_checkpoint,
    )
    options = kept_options(args, OF_THE_RUN)
    goes_on = can_go_on(args.out, options, args.resume, FILE)
    ranks.gather(goes_on)  # asked of all before the first one writes
    if ranks.is_first and not goes_on:
        write_whole(args.out / "config.json", options)
    learn(
        envs, networks.policy, config, plugins,
        agent=f"measuring {args.preset}", seed=args.seed, out=args.out,
        options=json.loads(options), kept=kept, resume=goes_on, ranks=ranks,
    )  # fmt: skip


class _Run:
    """Validates, and keeps the curve and the best team of a run."""

    def __init__(self, args: Args, networks: TeamNetworks, device: torch.device):
        self.args, self.networks = args, networks
        self.score = "cr_mean" if args.silent else "wcr"
        self.trials: Trials | SilentTrials
        if args.silent:
            config = measure_config(args, "val", args.val_houses)
            self.trials = SilentTrials(config, networks.config.senses, networks.policy)
        else:
            self.trials = Trials(
                ENVIRONMENTS[args.env],
                networks,
                device,
                args.val_episodes,
                args.val_houses,
                args.env_options,
            )

    def at_checkpoint(self, update: int) -> dict[str, float]:
        """Scores in validation dwellings; a row of `curve.csv`."""
        row = {"update": float(update), **self.trials.scores()}
        if add_row(self.args.out / "curve.csv", row, "update", self.score):
            made = {
                "command": "av_envs.agents.rir_measure.train",
                "options": json.loads(kept_options(self.args, OF_THE_RUN)),
                "val": row,
            }
            save_team(self.networks, self.args.out / "best.safetensors", made)
        return {f"val/{name}": value for name, value in row.items()}


def train_on_ranks(args: Args) -> None:
    """`train` alone, or as one of the ranks that torchrun has started."""
    try:
        with joined_ranks(args.backend) as ranks:
            train(args, ranks)
    except RankLostError as error:
        raise RunEndedError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
