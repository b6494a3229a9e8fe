"""Policies as files without pickled code: safetensors whose header says how to build them."""

import json
from pathlib import Path
from typing import Any

from gymnasium import spaces
from safetensors.torch import save_model
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from av_envs.agents.adapters.sb3.algorithms import ALGORITHMS, TRAINED, algorithm_class
from av_envs.agents.adapters.sb3.downsample import downsampled_space
from av_envs.agents.adapters.sb3.features import AVFeaturesExtractor
from av_envs.agents.weight_files import MALFORMED, load_weights, one_line, read_header
from av_envs.paths import user_path
from av_envs.whole_files import replacing

SUFFIX = ".safetensors"
HOLDS = "policy of agents.train_sb3"


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
    with replacing(user_path(path)) as draft:
        save_model(model.policy, str(draft), {"config": json.dumps(config)})


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

    Raises ValueError with the file's name for a file of another kind, a damaged one, and one
    whose policy cannot be built here.
    """
    path = user_path(path)
    config = _config(path)
    every = {**downsampled_space(observation_space).spaces, **made}
    missing = sorted(set(config["observations"]) - set(every))
    if missing:
        raise ValueError(f"{path} needs the observations {missing}, here are {sorted(every)}")
    known = spaces.Dict({key: every[key] for key in config["observations"]})
    name = config["algorithm"]
    try:
        policy = algorithm_class(name).policy_aliases[ALGORITHMS[name].policy](
            known,
            action_space,
            lr_schedule=lambda _: 0.0,  # it learns no more
            features_extractor_class=AVFeaturesExtractor,
            **config["network"],
        )
    except MALFORMED as error:
        raise ValueError(f"{path}: does not fit its policy: {one_line(error)}") from error
    load_weights(policy, path, "policy")
    return policy


def observations_of(path: str | Path) -> tuple[str, ...]:
    """The keys that the policy in a file observes."""
    return tuple(_config(path)["observations"])


def _config(path: str | Path) -> dict[str, Any]:
    """What the header says about the policy."""
    path = user_path(path)
    config = read_header(path, "config", HOLDS)
    try:
        algorithm, network = config["algorithm"], config["network"]
        observations = config["observations"]
    except KeyError as error:
        raise ValueError(f"{path}: holds no {HOLDS}: lacks {error}") from None
    except TypeError as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    if not isinstance(algorithm, str) or algorithm not in TRAINED.values():
        known = ", ".join(TRAINED.values())
        raise ValueError(f"{path}: its algorithm {algorithm!r:.40} is none of {known}")
    if not isinstance(network, dict) or not _words(observations):
        raise ValueError(f"{path}: network must be a dict and observations a list of names")
    return config


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
