"""The algorithms of Stable-Baselines3 and sb3-contrib that are known here, in one table."""

from importlib import import_module
from typing import NamedTuple

from stable_baselines3.common.base_class import BaseAlgorithm


class Algorithm(NamedTuple):
    """A class of one of the libraries.

    module   where the class is found by its name
    masked   whether its policy takes action masks
    command  its name for `agents.train_sb3`; empty if that cannot train it
    policy   name of the policy that is trained; its weights can be kept without pickled code
    """

    module: str
    masked: bool = False
    command: str = ""
    policy: str = ""


ALGORITHMS = {
    "PPO": Algorithm("stable_baselines3", command="ppo", policy="MultiInputPolicy"),
    "A2C": Algorithm("stable_baselines3"),
    "DQN": Algorithm("stable_baselines3"),
    "RecurrentPPO": Algorithm(
        "sb3_contrib", command="recurrent_ppo", policy="MultiInputLstmPolicy"
    ),
    "MaskablePPO": Algorithm("sb3_contrib", masked=True),
    "QRDQN": Algorithm("sb3_contrib"),
    "TRPO": Algorithm("sb3_contrib"),
}
TRAINED = {known.command: name for name, known in ALGORITHMS.items() if known.command}


def algorithm_class(name: str) -> type[BaseAlgorithm]:
    """The class of that name, a key of ALGORITHMS."""
    return getattr(import_module(ALGORITHMS[name].module), name)
