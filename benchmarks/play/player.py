"""Built agents: their interface and the one in this process.

What an agent declares is read once, when it is built, and holds from then on: for what it is
shown, for what the result says, and for the mark on the board.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import spaces

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.action_check import AgentError, action_fault, call_agent
from av_envs.benchmarks.play.agents import AgentSpec, build_agent

if TYPE_CHECKING:  # the measuring task takes a second to import, and most agents need none of it
    from av_envs.rir_measure.pairs import Pairs

Truth = Callable[["Pairs"], np.ndarray]
BROUGHT = "brought"  # a predictor of the agent's own


@dataclass(frozen=True)
class PlayerSettings:
    """What an agent is built for.

    predicts  whether the environment asks a predictor; of others an agent's predictor is no part
    """

    observation_space: spaces.Space
    action_space: spaces.Space
    seed: int
    predicts: bool = False


@dataclass(frozen=True)
class Declared:
    """What an agent said when it was built.

    card                  see `av_envs.benchmarks.play.agents.Agent`
    privileged            keys of the truth that it is shown
    predictor             None, a name of `PREDICTORS`, or BROUGHT
    predictor_privileged  what its predictor is told of the truth
    """

    card: dict[str, Any]
    privileged: tuple[str, ...] = ()
    predictor: str | None = None
    predictor_privileged: tuple[str, ...] = ()

    @property
    def all_privileged(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.privileged, *self.predictor_privileged]))


class Player(Protocol):
    """A built agent, wherever it runs. Its mistakes are `AgentError`s."""

    declared: Declared

    def reset(self, seed: int) -> None: ...

    def act(self, observation: Any, truth: dict[str, np.ndarray] | None) -> Any:
        """A valid action. `truth` holds the declared keys, None if none is declared."""
        ...

    def refine(self, observation: Any) -> Any:
        """Estimates of all seconds with hindsight, None where the agent makes none."""
        ...

    def refine_within(self, look_back: int) -> Any:
        """The same with the hindsight of so many seconds; asked after `refine`."""
        ...

    def reset_predictor(self, facts: dict[str, Any], truth: Truth) -> None: ...

    def predict(self, pairs: "Pairs", history: Sequence[Any]) -> np.ndarray: ...

    def observe(self, pairs: "Pairs", rirs: np.ndarray) -> None: ...


class LocalPlayer:
    """The agent in this process, with this process's memory within its reach."""

    def __init__(self, spec: AgentSpec, settings: PlayerSettings):
        self._agent = build_agent(
            spec, settings.observation_space, settings.action_space, settings.seed
        )
        self._action_space = settings.action_space
        self._predictor: Any = None
        name = None
        if settings.predicts and getattr(self._agent, "predictor", None) is not None:
            name = self._take_predictor(spec, self._agent.predictor)
        self.declared = Declared(
            card=dict(getattr(self._agent, "card", {})),
            privileged=tuple(getattr(self._agent, "privileged", ())),
            predictor=name,
            predictor_privileged=tuple(getattr(self._predictor, "privileged", ())),
        )

    def _take_predictor(self, spec: AgentSpec, predictor: Any) -> str:
        from av_envs.rir_measure.predictors import PREDICTORS, open_predictor

        try:
            self._predictor = open_predictor(predictor)
        except ValueError as error:
            raise UserError(f"agent {spec.path} with {spec.kwargs_json}: {error}") from error
        is_ours = isinstance(predictor, str) and predictor in PREDICTORS
        return predictor if is_ours else BROUGHT

    def reset(self, seed: int) -> None:
        call_agent(self._agent.reset, seed=seed)

    def act(self, observation: Any, truth: dict[str, np.ndarray] | None) -> Any:
        shown = (observation,) if truth is None else (observation, truth)
        action = call_agent(self._agent.act, *shown)
        reason = call_agent(action_fault, self._action_space, action)
        if reason:
            raise AgentError(reason)
        return action

    def refine(self, observation: Any) -> Any:
        refine = getattr(self._agent, "refine", None)
        return None if refine is None else call_agent(refine, observation)

    def refine_within(self, look_back: int) -> Any:
        refine = getattr(self._agent, "refine_within", None)
        return None if refine is None else call_agent(refine, look_back)

    def reset_predictor(self, facts: dict[str, Any], truth: Truth) -> None:
        from av_envs.rir_measure.predictors import PredictionContext, hidden_truth

        shown = truth if "truth" in self.declared.predictor_privileged else hidden_truth
        call_agent(self._predictor.reset, PredictionContext(**facts, truth=shown))

    def predict(self, pairs: "Pairs", history: Sequence[Any]) -> np.ndarray:
        from av_envs.rir_measure.actions import checked_prediction

        rirs = call_agent(self._predictor.predict, pairs, history)
        return call_agent(checked_prediction, rirs, len(pairs.heading), "the predictor")

    def observe(self, pairs: "Pairs", rirs: np.ndarray) -> None:
        call_agent(self._predictor.observe, pairs, rirs)
