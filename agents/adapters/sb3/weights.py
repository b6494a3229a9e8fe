"""Policies as files without pickled code: safetensors whose header says how to build them."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from gymnasium import spaces
from safetensors import safe_open
from safetensors.torch import load_model, save_model
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from av_envs.agents.adapters.sb3.condensed import condensed_space
from av_envs.agents.adapters.sb3.features import AVFeaturesExtractor
from av_envs.paths import user_path

SUFFIX = ".safetensors"
MODULES = {"PPO": "stable_baselines3", "RecurrentPPO": "sb3_contrib"}
POLICIES = {"PPO": "MultiInputPolicy", "RecurrentPPO": "MultiInputLstmPolicy"}


def save_policy(model: BaseAlgorithm, path: str | Path) -> None:
    """Write what `agents.train_sb3` has trained: the weights and, as JSON, the architecture."""
    network = dict(model.policy_kwargs)
    if network.pop("features_extractor_class", None) is not AVFeaturesExtractor:
        raise ValueError("only policies with AVFeaturesExtractor can be built again")
    config = {
        "algorithm": type(model).__name__,
        "network": network,
        "observations": sorted(model.observation_space.spaces),
        "steps": model.num_timesteps,
    }
    save_model(model.policy, str(user_path(path)), {"config": json.dumps(config)})


def load_policy(
    path: str | Path,
    observation_space: spaces.Dict,
    made: dict[str, spaces.Space],
    action_space: spaces.Discrete,
) -> BasePolicy:
    """Build the policy again.

    observation_space  of one observer, as the environment has it
    made               the observations that environments do not make
    action_space       of one observer
    """
    path = user_path(path)
    config = _config(path)
    every = {**condensed_space(observation_space).spaces, **made}
    missing = sorted(set(config["observations"]) - set(every))
    if missing:
        raise ValueError(f"{path} needs the observations {missing}, here are {sorted(every)}")
    known = spaces.Dict({key: every[key] for key in config["observations"]})
    name = config["algorithm"]
    algorithm = getattr(import_module(MODULES[name]), name)
    policy = algorithm.policy_aliases[POLICIES[name]](
        known,
        action_space,
        lr_schedule=lambda _: 0.0,  # it learns no more
        features_extractor_class=AVFeaturesExtractor,
        **config["network"],
    )
    load_model(policy, path)
    return policy


def observations_of(path: str | Path) -> tuple[str, ...]:
    """The keys that the policy in a file observes."""
    return tuple(_config(path)["observations"])


def _config(path: str | Path) -> dict[str, Any]:
    with safe_open(user_path(path), "pt") as file:
        return json.loads(file.metadata()["config"])
