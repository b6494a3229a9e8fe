"""Predictors that belong to agents of the measuring task; their errors are the agents' errors."""

from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from av_envs.benchmarks.play.player import BROUGHT, Player
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import JointObservation, PredictionContext


class AgentPredictor:
    """A `RIRPredictor` that runs in the process of its agent.

    privileged  what it declares to know of the truth
    """

    def __init__(self, player: Player):
        self._player = player
        self.privileged = player.declared.predictor_privileged

    def reset(self, context: PredictionContext) -> None:
        facts = {
            "robots": context.robots,
            "grid": context.grid,
            "steps": context.steps,
            "n_samples": context.n_samples,
        }
        self._player.reset_predictor(facts, context.truth)

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        return self._player.predict(pairs, history)

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        self._player.observe(pairs, rirs)


def takes_predictors(env: gym.Env) -> bool:
    """Whether the environment asks a predictor."""
    return hasattr(env.unwrapped, "use_predictor")


def install_predictor(env: gym.Env, player: Player) -> None:
    """From the next reset on, the environment asks the agent's predictor, if it brings one.

    An agent brings a predictor by an attribute `predictor`: the name of one of ours, an import
    path "module:Factory", or an object.
    """
    name = player.declared.predictor
    if name is not None:
        env.unwrapped.use_predictor(AgentPredictor(player) if name == BROUGHT else name)
