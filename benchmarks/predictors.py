"""Predictors that agents of the measuring task bring along: what fails in them is the agent's."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from av_envs.benchmarks.agents import Agent, AgentSpec
from av_envs.benchmarks.answers import ask
from av_envs.benchmarks.command_line import UserError
from av_envs.rir_measure.actions import checked_prediction
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import (
    JointObservation,
    PredictionContext,
    RIRPredictor,
    open_predictor,
)


class Brought:
    """A predictor as the environment meets it: its failures are `AgentError`s.

    privileged  what it declares to know of the truth
    """

    def __init__(self, predictor: RIRPredictor):
        self._predictor = predictor
        self.privileged = tuple(getattr(predictor, "privileged", ()))

    def reset(self, context: PredictionContext) -> None:
        ask(self._predictor.reset, context)

    def predict(self, pairs: Pairs, history: Sequence[JointObservation]) -> np.ndarray:
        rirs = ask(self._predictor.predict, pairs, history)
        return ask(checked_prediction, rirs, len(pairs.heading), "the predictor")

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        ask(self._predictor.observe, pairs, rirs)


def predictor_of(env: gym.Env, spec: AgentSpec, agent: Agent) -> Brought | None:
    """What the agent brings to an environment that lets it; None if it brings nothing.

    An agent brings a predictor by an attribute `predictor`: the name of one, an import path
    "module:Factory", or an object. Environments of other tasks have no use for it.
    """
    predictor: Any = getattr(agent, "predictor", None)
    if predictor is None or not hasattr(env.unwrapped, "use_predictor"):
        return None
    try:
        return Brought(open_predictor(predictor))
    except ValueError as error:
        raise UserError(f"agent {spec.path} with {spec.kwargs_json}: {error}") from error


def seat_predictor(env: gym.Env, spec: AgentSpec, agent: Agent) -> None:
    """From the next reset on, the environment asks the agent's predictor, if it brings one."""
    brought = predictor_of(env, spec, agent)
    if brought is not None:
        env.unwrapped.use_predictor(brought)
