"""Train with Stable-Baselines3."""

import sys

from av_envs.agents.options.sb3 import Args, main

if __name__ == "__main__":  # help needs nothing of what follows
    sys.exit(main())

from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.adapters.sb3.agent import load_saved
from av_envs.agents.adapters.sb3.algorithms import ALGORITHMS, TRAINED, algorithm_class
from av_envs.agents.adapters.sb3.eval_callback import EvalCallback, rows_in
from av_envs.agents.adapters.sb3.features import AVFeaturesExtractor
from av_envs.agents.adapters.sb3.preprocess import PreprocessVecEnv
from av_envs.agents.adapters.sb3.robots_vec_env import RobotsVecEnv
from av_envs.agents.adapters.sb3.vec_env import NativeVecEnv
from av_envs.agents.runs import can_go_on, kept_options
from av_envs.whole_files import write_whole

VAL_HOUSES = 20  # at most; no more than there are to train in
LAST_RATE = 0.1  # of the learning rate, where it ends
# No part of what is learnt: may differ when a run is resumed.
OF_THE_RUN = ("out", "resume", "steps", "val_every")


def make_venv(
    env_id: str,
    num_envs: int,
    *,
    told: bool = False,
    draws_map: bool = False,
    own_finds: bool = False,
    reward_scale: float = 1.0,
    **options: Any,
) -> VecEnv:
    """The native batch as Stable-Baselines3 wants it; of teams, every robot by itself."""
    batch = gym.make_vec(env_id, num_envs, autoreset_mode="SameStep", **options)
    is_team = isinstance(batch.single_action_space, spaces.MultiDiscrete)
    venv = RobotsVecEnv(batch) if is_team else NativeVecEnv(batch)
    return PreprocessVecEnv(
        venv,
        tells_bearing=told,
        draws_map=draws_map,
        own_finds=own_finds,
        reward_scale=reward_scale,
    )


def make_model(args: Args, venv: VecEnv) -> BaseAlgorithm:
    """An untrained policy and its algorithm."""
    name = TRAINED[args.algorithm]
    size = args.features
    network = {
        "features_extractor_class": AVFeaturesExtractor,
        "features_extractor_kwargs": {"features_dim": size},
        "net_arch": [size],
    }
    if name == "RecurrentPPO":
        network["lstm_hidden_size"] = size
    rate = args.learning_rate
    return algorithm_class(name)(
        ALGORITHMS[name].policy,
        venv,
        policy_kwargs=network,
        learning_rate=LinearSchedule(rate, LAST_RATE * rate, 1.0),
        n_steps=args.rollout,
        batch_size=args.batch_size,
        n_epochs=args.epochs,
        gamma=args.gamma,
        gae_lambda=args.gae_lambda,
        ent_coef=args.entropy,
        seed=args.seed,
        device="cpu",
    )


def train(args: Args) -> None:
    """One run, or the rest of one. Raises ValueError or TypeError for options that cannot be."""
    torch.set_num_threads(1)  # layers this small are slower on more
    directory: Path = args.out
    is_resumed = can_go_on(directory, kept_options(args, OF_THE_RUN), args.resume, "last.zip")
    options = dict(args.env_kwargs)
    if args.observations:
        options["observations"] = args.observations
    common = {"told": args.told, "draws_map": args.map, **options}
    scale = args.reward_scale
    learns_from = {"own_finds": args.own_finds, "reward_scale": scale}
    venv = make_venv(args.env, args.num_envs, **learns_from, **common)
    houses = min(VAL_HOUSES, options.get("houses", VAL_HOUSES))
    unseen = {**common, "split": "val", "houses": houses}
    val = make_venv(args.env, args.val_envs, **unseen)
    if is_resumed:
        name = TRAINED[args.algorithm]
        model = load_saved(name, directory / "last.zip", env=venv, device="cpu")
    else:
        model = make_model(args, venv)
        write_whole(directory / "config.json", kept_options(args, OF_THE_RUN))
    weights = sum(parameter.numel() for parameter in model.policy.parameters())
    print(f"{weights:,} weights, {model.num_timesteps:,} of {args.steps:,} steps", flush=True)
    model.learn(
        args.steps - model.num_timesteps,
        EvalCallback(directory, val, args.val_every, rows_in(model), not args.drawn),
        reset_num_timesteps=not is_resumed,
        log_interval=None,
    )
