"""Server side of agents in a process of their own: it has observations, but no environment.

`av_envs.benchmarks.play.agent_client` starts it and talks to it through a pipe. Requests are
(verb, arguments), see `av_envs.benchmarks.play.shared_arrays`; answers are messages of
`av_envs.benchmarks.play.wire`, a list whose first entry is "done", "mistake" (of the caller, with a
sentence) or "failed" (of the agent, with a traceback).
"""

import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.action_check import AgentError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.player import LocalPlayer, PlayerSettings, Truth
from av_envs.benchmarks.play.shared_arrays import ArrayReader
from av_envs.benchmarks.play.wire import pack

if TYPE_CHECKING:  # see `player`
    from av_envs.rir_measure.pairs import Pairs

LONGEST_TRACEBACK = 4000  # characters, the last ones


def main(requests_descriptor: int, answers_descriptor: int, memory_descriptor: int) -> None:
    """Serve requests from one pipe until it is closed; answers go into the other.

    memory_descriptor  where the arrays of requests lie
    """
    reader = ArrayReader(memory_descriptor)
    with Connection(requests_descriptor) as requests, Connection(answers_descriptor) as answers:
        server = _Server(requests, answers, reader)
        while True:
            try:
                verb, arguments = reader.loads(requests.recv_bytes())
                answers.send_bytes(_answer(server, verb, arguments))
            except (EOFError, BrokenPipeError):
                return


def _answer(server: "_Server", verb: str, arguments: tuple) -> bytes:
    try:
        return pack(["done", getattr(server, verb)(*arguments)])
    except UserError as mistake:
        return pack(["mistake", str(mistake)])
    except AgentError as error:
        return pack(["failed", str(error), error.traceback[-LONGEST_TRACEBACK:]])
    except (Exception, SystemExit) as error:
        words = "".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:]
        return pack(["failed", f"{type(error).__name__}: {error}", words])


class _Server:
    """Its public methods are the verbs of requests."""

    def __init__(self, requests: Connection, answers: Connection, reader: ArrayReader):
        self._requests, self._answers, self._reader = requests, answers, reader
        self._player: LocalPlayer | None = None
        self._history: list[Any] = []

    def build(self, path: str, kwargs_json: str, settings: PlayerSettings) -> dict[str, Any]:
        self._player = LocalPlayer(AgentSpec(path, kwargs_json), settings)
        declared = self._player.declared
        return {
            "card": declared.card,
            "privileged": declared.privileged,
            "predictor": declared.predictor,
            "predictor_privileged": declared.predictor_privileged,
        }

    def reset(self, seed: int) -> None:
        self._player.reset(seed)

    def act(self, observation: Any, truth: dict[str, np.ndarray] | None) -> Any:
        return self._player.act(observation, truth)

    def refine(self, observation: Any) -> Any:
        return self._player.refine(observation)

    def refine_within(self, look_back: int) -> Any:
        return self._player.refine_within(look_back)

    def reset_predictor(self, facts: dict[str, Any]) -> None:
        self._history = []
        self._player.reset_predictor(facts, self._ask_for_truth)

    def predict(self, pairs: "Pairs", n_history: int, news: list[Any]) -> np.ndarray:
        """News are the observations since the last call; the others were sent before."""
        self._history = [*self._history, *news][-n_history:] if n_history else []
        return self._player.predict(pairs, self._history)

    def observe(self, pairs: "Pairs", rirs: np.ndarray) -> None:
        self._player.observe(pairs, rirs)

    @property
    def _ask_for_truth(self) -> Truth:
        def truth(pairs: "Pairs") -> np.ndarray:
            self._answers.send_bytes(pack(["truth", list(pairs)]))
            return self._reader.loads(self._requests.recv_bytes())

        return truth
