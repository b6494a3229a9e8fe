"""Train an agent that separates."""

import json
import sys
from typing import Any

import gymnasium as gym
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.curve import add_row
from av_envs.agents.devices import device_named
from av_envs.agents.options.separation import Args, main
from av_envs.agents.ppo.config import PPOConfig
from av_envs.agents.ppo.distributed import RankLostError, Ranks, joined_ranks
from av_envs.agents.ppo.plugins import Plugins, Stateful
from av_envs.agents.ppo.train import FILE
from av_envs.agents.ppo.train import train as learn
from av_envs.agents.runs import RunEndedError, can_go_on, kept_options
from av_envs.agents.separation.agent import (
    KINDS,
    SEPARATOR,
    AgentNetworks,
    agent_config,
    begun_with,
    chosen_features,
    frozen,
    load_separator,
    locator_for,
    save_agent,
)
from av_envs.agents.separation.checkpoints import check_classes
from av_envs.agents.separation.expert import Teaching, Truths
from av_envs.agents.separation.memory_training import MemoryTraining
from av_envs.agents.separation.networks.locator import TargetLocator
from av_envs.agents.separation.novelty import NoveltyReward
from av_envs.agents.separation.senses import Senses, needed_observations
from av_envs.agents.separation.separator import Separator
from av_envs.agents.separation.trials import Trials
from av_envs.separation.audio import corpus_of
from av_envs.whole_files import write_whole

# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "device", "backend", "threads")


def make_networks(args: Args, separator: Separator) -> tuple[AgentNetworks, TargetLocator | None]:
    """Untrained ones, but for the policy that `--policy` names, of which all is taken over.

    The locator is what its feature "place" is made with.

    Weights are drawn from torch's own random numbers.
    """
    corpus = corpus_of(args.sounds).classes
    if args.policy is None:
        features = chosen_features(args.size, args.features)
        locator = locator_for(features, args.locator, corpus)
        config = agent_config(
            args.agent, args.size, separator,
            locator=locator, features=features, look_back=args.look_back,
        )  # fmt: skip
        return AgentNetworks(config), locator
    networks, locator = begun_with(
        args.policy, args.agent, args.size, separator, corpus,
        locator=args.locator, look_back=args.look_back,
    )  # fmt: skip
    perceived = networks.config.policy.features
    if args.features is not None and tuple(args.features) != perceived:
        raise ValueError(f"{args.policy} perceives {', '.join(perceived)}; leave --features")
    return networks, locator


def make_envs(args: Args, networks: AgentNetworks) -> gym.vector.VectorEnv:
    """The environments in which a rank learns."""
    reward = reward_of(args)
    options = args.env_options
    if explores(args):
        options["estimator"] = "mixture"
    envs = gym.make_vec(
        "AVDynamicSep-v0",
        args.num_envs,
        autoreset_mode="SameStep",
        split="train",
        houses=args.houses,
        reward="si_sdr" if explores(args) else reward,
        observations=needed_observations(networks.config.policy),
        **options,
    )
    return NoveltyReward(envs) if explores(args) else envs


def reward_of(args: Args) -> str:
    """What the policy is paid."""
    return args.reward or KINDS[args.agent].reward


def explores(args: Args) -> bool:
    """Whether it is paid for where it goes alone; then nothing needs to be separated."""
    return reward_of(args) == "novelty"


def ppo_config(args: Args, ranks: Ranks) -> PPOConfig:
    """Of the run; a rollout is one episode, at whose end nothing more is to be had.

    Raises ValueError for what cannot be.
    """
    if args.num_envs % args.minibatches:
        raise ValueError(
            f"--minibatches must divide the {args.num_envs} environments, got {args.minibatches}"
        )
    together = args.episode * args.num_envs * ranks.count
    return PPOConfig(
        updates=-(-args.steps // together),
        rollout=args.episode,
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


def train(args: Args, ranks: Ranks) -> None:
    """One run, or the rest of one. Raises ValueError for options that cannot be."""
    config, device = ppo_config(args, ranks), device_named(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    separator, header = load_separator(args.separator)
    check_classes(args.separator or SEPARATOR, header, corpus_of(args.sounds).classes)
    frozen(separator).to(device)
    torch.manual_seed(args.seed)
    networks, locator = make_networks(args, separator)
    networks.to(device)
    if locator is not None:
        locator.to(device)
    envs = make_envs(args, networks)
    senses = Senses(
        separator, networks.config.policy, networks.refiner(args.episode + 1), device,
        locator=locator, separates=not explores(args),
    )  # fmt: skip
    teaching = Teaching(args.locating, args.imitating, args.imitate_until, config.updates)
    kept: dict[str, Stateful] = {"teaching": teaching}
    memory_training = None
    if networks.memory is not None:
        look_back = networks.config.look_back
        memory_training = MemoryTraining(
            networks.memory, look_back, config, ranks,
            epochs=args.memory_epochs, distance=args.memory_loss,
        )  # fmt: skip
        kept |= {"memory": networks.memory, "memory optimiser": memory_training.optimiser}
    trials = Trials(
        networks, separator, args.val_episodes, args.val_houses, args.env_options, device, locator
    )
    run = _Run(args, networks, header.classes, trials)
    truths = Truths(envs.unwrapped, senses if memory_training else None, device)

    def after_update(rollout: Any, update: int) -> dict[str, float]:
        teaching.at(update + 1)
        scalars = {"imitation": teaching.weight}
        return scalars | (memory_training(rollout, update) if memory_training else {})

    plugins = Plugins(
        perceive=senses,
        answer=senses.answer,
        label=truths,
        auxiliary_loss=teaching,
        after_update=after_update,
        at_checkpoint=run.at_checkpoint,
    )
    options = kept_options(args, OF_THE_RUN)
    goes_on = can_go_on(args.out, options, args.resume, FILE)
    ranks.gather(goes_on)  # asked of all before the first one writes
    if ranks.is_first and not goes_on:
        write_whole(args.out / "config.json", options)
    teaching.at(0)
    envs = _Scaled(envs, args.reward_scale)
    learn(
        envs, networks.policy, config, plugins,
        agent=f"separation {args.agent}", seed=args.seed, out=args.out,
        options=json.loads(options), kept=kept, resume=goes_on, ranks=ranks,
    )  # fmt: skip


class _Scaled(gym.vector.VectorWrapper):
    """Rewards times a factor."""

    def __init__(self, envs: gym.vector.VectorEnv, factor: float):
        super().__init__(envs)
        self.factor = factor

    def step(self, actions: Any) -> tuple[Any, ...]:
        observation, rewards, *rest = self.env.step(actions)
        return observation, self.factor * rewards, *rest


class _Run:
    """Validates, and keeps the curve and the best agent of a run."""

    def __init__(
        self, args: Args, networks: AgentNetworks, classes: tuple[str, ...], trials: Trials
    ):
        self.args, self.networks, self.classes, self.trials = args, networks, classes, trials

    def at_checkpoint(self, update: int) -> dict[str, float]:
        """Scores on validation houses; a row of `curve.csv`."""
        row = {"update": float(update), **self.trials.scores()}
        kept_by = "visited" if explores(self.args) else "si_sdr"
        if add_row(self.args.out / "curve.csv", row, "update", kept_by):
            made = {
                "command": "av_envs.agents.separation.train",
                "options": json.loads(kept_options(self.args, OF_THE_RUN)),
                "val": row,
            }
            save_agent(self.networks, self.args.out / "best.safetensors", self.classes, made)
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
