"""Ablation of what a policy observes: `python -m av_envs.agents.senses_used --checkpoint FILE`.

Plays the same episodes of unseen houses again and again, each time with another part of the
observations spoilt, and prints the mean gain in SI-SDR, dB per second, with its 95 % bootstrap
interval. What changes nothing when it is spoilt was not used.
"""

import argparse
import json
from collections.abc import Callable
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from av_envs.agents.adapters.sb3.weights import load_policy, observations_of
from av_envs.agents.intervals import mean_interval
from av_envs.agents.train_sb3 import make_venv
from av_envs.paths import path_argument

Arrays = dict[str, np.ndarray]
LEVEL, DIFFERENCE = 0, 1  # channels of a downsampled mixture


def untouched(observation: Arrays) -> Arrays:
    return observation


def ears_swapped(observation: Arrays) -> Arrays:
    mixture = observation["mixture"].copy()
    mixture[:, DIFFERENCE] *= -1
    return {**observation, "mixture": mixture}


def ears_alike(observation: Arrays) -> Arrays:
    mixture = observation["mixture"].copy()
    mixture[:, DIFFERENCE] = 0
    return {**observation, "mixture": mixture}


def always_as_loud(observation: Arrays) -> Arrays:
    mixture = observation["mixture"].copy()
    mixture[:, LEVEL] = mixture[:, LEVEL].mean()
    return {**observation, "mixture": mixture}


def other_class_named(observation: Arrays) -> Arrays:
    return {**observation, "target": np.roll(observation["target"], 1)}


def nothing_in_sight(observation: Arrays) -> Arrays:
    return {**observation, "depth": np.full_like(observation["depth"], 0.5)}


class Ablation(NamedTuple):
    """What is taken from a policy.

    needs    key that it must observe
    spoil    applied to every observation
    forgets  whether its memory is cleared before every action
    """

    needs: str
    spoil: Callable[[Arrays], Arrays]
    forgets: bool = False


ABLATIONS = {
    "nothing": Ablation("target", untouched),
    "ears swapped": Ablation("mixture", ears_swapped),
    "no difference between the ears": Ablation("mixture", ears_alike),
    "no levels, only differences": Ablation("mixture", always_as_loud),
    "another class named": Ablation("target", other_class_named),
    "nothing in sight": Ablation("depth", nothing_in_sight),
    "no memory": Ablation("target", untouched, forgets=True),
}


def gains(policy: BasePolicy, venv: VecEnv, ablation: Ablation) -> np.ndarray:
    """(num_envs,) mean reward of one episode each, with the likeliest actions."""
    venv.seed(0)
    observation, state = venv.reset(), None
    starts, rewards = np.ones(venv.num_envs, bool), []
    while not rewards or not starts.any():
        fresh = np.ones_like(starts) if ablation.forgets else starts
        spoilt = ablation.spoil(observation)
        actions, state = policy.predict(spoilt, state, fresh, deterministic=True)
        observation, _, starts, infos = venv.step(actions)
        rewards.append([info["reward"] for info in infos])
    return np.mean(rewards, axis=0)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="av_envs.agents.senses_used", description=__doc__)
    parser.add_argument("--checkpoint", type=path_argument, required=True, help="a .safetensors")
    parser.add_argument("--env", default="AVDynamicSep-v0")
    parser.add_argument("--env-kwargs", type=json.loads, default={}, help="JSON")
    parser.add_argument("--split", default="val")
    parser.add_argument("--houses", type=int, default=20)
    parser.add_argument("--episodes", type=int, default=256)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    keys = observations_of(arguments.checkpoint)
    options = {"observations": keys, "split": arguments.split, "houses": arguments.houses}
    options |= arguments.env_kwargs
    venv = make_venv(arguments.env, arguments.episodes, **options)
    alone = gym.make(arguments.env, **options)
    policy = load_policy(arguments.checkpoint, alone.observation_space, {}, alone.action_space)
    for name, ablation in ABLATIONS.items():
        if ablation.needs not in keys:
            continue
        mean, low, high = mean_interval(gains(policy, venv, ablation))
        print(f"{name:32} {mean:6.2f} [{low:.2f}, {high:.2f}]", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
