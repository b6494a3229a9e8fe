"""Train with Stable-Baselines3: `python -m av_envs.agents.train_sb3 --env ID --out DIR`.

PPO or RecurrentPPO learns over the native batch from condensed observations; in the measuring
task one policy plays every robot. DIR gets `config.json`, `curve.csv` (a row per evaluation on
houses of the split "val"), `last.zip` and `best.safetensors`, which `SB3Agent` plays on any
suite. An interrupted run goes on with the same command and --resume, from the last evaluation,
and ends as if it had not been interrupted.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.adapters.sb3.agent import ALGORITHMS, load_saved
from av_envs.agents.adapters.sb3.eval_callback import Curve, rows_in
from av_envs.agents.adapters.sb3.features import AVFeaturesExtractor
from av_envs.agents.adapters.sb3.preprocess import PreparedVecEnv
from av_envs.agents.adapters.sb3.robots_vec_env import RobotsVecEnv
from av_envs.agents.adapters.sb3.vec_env import NativeVecEnv
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole

CHOICES = {
    "ppo": ("PPO", "MultiInputPolicy"),
    "recurrent_ppo": ("RecurrentPPO", "MultiInputLstmPolicy"),
}
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
    return PreparedVecEnv(
        venv,
        tells_bearing=told,
        draws_map=draws_map,
        own_finds=own_finds,
        reward_scale=reward_scale,
    )


def make_model(arguments: argparse.Namespace, venv: VecEnv) -> BaseAlgorithm:
    """An untrained policy and its algorithm."""
    name, policy = CHOICES[arguments.algorithm]
    size = arguments.features
    network = {
        "features_extractor_class": AVFeaturesExtractor,
        "features_extractor_kwargs": {"features_dim": size},
        "net_arch": [size],
    }
    if name == "RecurrentPPO":
        network["lstm_hidden_size"] = size
    rate = arguments.learning_rate
    return getattr(import_module(ALGORITHMS[name]), name)(
        policy,
        venv,
        policy_kwargs=network,
        learning_rate=LinearSchedule(rate, LAST_RATE * rate, 1.0),
        n_steps=arguments.rollout,
        batch_size=arguments.batch_size,
        n_epochs=arguments.epochs,
        gamma=arguments.gamma,
        gae_lambda=arguments.gae_lambda,
        ent_coef=arguments.entropy,
        seed=arguments.seed,
        device="cpu",
    )


def train(arguments: argparse.Namespace) -> None:
    """One run, or the rest of one. Raises ValueError or TypeError for options that cannot be."""
    directory: Path = arguments.out
    is_resumed = _can_go_on(directory, arguments)
    options = dict(arguments.env_kwargs)
    if arguments.observations:
        options["observations"] = arguments.observations
    common = {"told": arguments.told, "draws_map": arguments.map, **options}
    scale = arguments.reward_scale
    learns_from = {"own_finds": arguments.own_finds, "reward_scale": scale}
    venv = make_venv(arguments.env, arguments.num_envs, **learns_from, **common)
    houses = min(VAL_HOUSES, options.get("houses", VAL_HOUSES))
    unseen = {**common, "split": "val", "houses": houses}
    val = make_venv(arguments.env, arguments.val_envs, **unseen)
    if is_resumed:
        name = CHOICES[arguments.algorithm][0]
        model = load_saved(name, directory / "last.zip", env=venv, device="cpu")
    else:
        model = make_model(arguments, venv)
        write_whole(directory / "config.json", _config(arguments))
    weights = sum(parameter.numel() for parameter in model.policy.parameters())
    print(f"{weights:,} weights, {model.num_timesteps:,} of {arguments.steps:,} steps", flush=True)
    model.learn(
        arguments.steps - model.num_timesteps,
        Curve(directory, val, arguments.val_every, rows_in(model), not arguments.drawn),
        reset_num_timesteps=not is_resumed,
        log_interval=None,
    )


def _can_go_on(directory: Path, arguments: argparse.Namespace) -> bool:
    """Whether there is something that this run goes on from; refuses to mix up two runs."""
    path = directory / "config.json"
    if not arguments.resume:
        if path.exists():
            raise ValueError(f"{directory} holds a run already; choose another --out or --resume")
        return False
    if not path.exists():
        raise ValueError(f"nothing to resume: {path} is missing")
    kept, config = _config_in(path), json.loads(_config(arguments))
    changed = [key for key in config if kept.get(key) != config[key]]
    if changed:
        raise ValueError(
            f"{path} was made with other {', '.join(changed)}; a run keeps its options"
        )
    if not (directory / "last.zip").exists():
        print("nothing was saved before the interruption: starting anew", flush=True)
        return False
    return True


def _config(arguments: argparse.Namespace) -> bytes:
    """What a run keeps when it is resumed, as JSON."""
    config = {key: value for key, value in vars(arguments).items() if key not in OF_THE_RUN}
    return (json.dumps(config, indent=2) + "\n").encode()


def _config_in(path: Path) -> dict[str, Any]:
    try:
        return json_object(path.read_text(encoding="utf-8"))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise ValueError(f"{path} is no config of a run: {error}") from None


def json_object(text: str) -> dict[str, Any]:
    """An argparse type."""
    value = json.loads(text)  # its error is a ValueError, as argparse wants
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"must be a JSON object, got {text}")
    return value


def positive_int(text: str) -> int:
    """An argparse type."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.train_sb3",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--env", default="AVDynamicSep-v0", help="id of an environment")
    add("--env-kwargs", type=json_object, default={}, help="JSON object of its options")
    add("--observations", nargs="+", help="keys of its observations; rgb is never read")
    add("--algorithm", choices=CHOICES, default="recurrent_ppo")
    add("--told", action="store_true", help="observe where the target is: an ablation")
    add("--map", action="store_true", help="observe a map of where the team has been")
    add("--own-finds", action="store_true", help="pay every robot for the nodes it finds")
    add("--steps", type=positive_int, default=1_000_000, help="of all environments together")
    add("--num-envs", type=positive_int, default=64, help="or teams")
    add("--val-envs", type=positive_int, default=128, help="episodes of an evaluation")
    add("--val-every", type=positive_int, default=25_000, help="steps between evaluations")
    add("--drawn", action="store_true", help="evaluate drawn actions, not the likeliest")
    add("--rollout", type=positive_int, default=60, help="steps of each environment per update")
    add("--batch-size", type=positive_int, default=480)
    add("--epochs", type=positive_int, default=5)
    add("--features", type=positive_int, default=128, help="width of all layers")
    add("--learning-rate", type=float, default=5e-4, help="falls to a tenth")
    add("--gamma", type=float, default=0.93)
    add("--gae-lambda", type=float, default=0.9)
    add("--entropy", type=float, default=0.01, help="weight of the entropy")
    add("--reward-scale", type=float, default=0.2, help="factor of the rewards")
    add("--seed", type=int, default=0)
    add("--resume", action="store_true", help="go on with the run in --out")
    add("--out", type=path_argument, required=True, help="directory of the run")
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = build_parser()
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)  # layers this small are slower on more
    try:
        train(arguments)
    except (ValueError, TypeError, gym.error.Error) as mistake:
        parser.error(str(mistake))
    except OSError as fault:
        print(f"error: {fault}; --resume goes on from the last row of curve.csv", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; --resume goes on from the last row of curve.csv", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
