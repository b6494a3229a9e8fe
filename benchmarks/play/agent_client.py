"""Client side of agents in a process of their own; see `av_envs.benchmarks.play.agent_process`.

The process is started afresh, by no fork, and told observations, declared keys of the truth, and
seeds from which those of the episodes do not follow. One is kept per process that plays, and used
for episode after episode as long as the agent is the same.
"""

import atexit
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import Pipe
from typing import Any

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.options.run import TIMEOUT
from av_envs.benchmarks.play.action_check import AgentError, action_fault, call_agent
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.player import Declared, LocalPlayer, Player, PlayerSettings, Truth
from av_envs.benchmarks.play.shared_arrays import ArrayWriter
from av_envs.benchmarks.play.source_code import source_hash
from av_envs.benchmarks.play.wire import unpack
from av_envs.rir_measure.actions import checked_prediction
from av_envs.rir_measure.pairs import Pairs

BUILD_TIMEOUT = 600.0  # s, for importing and loading weights on a busy machine
MOST_BYTES = 1 << 28  # of an answer
PATIENCE = 2.0  # s, for a process to end by itself


class AgentProcess:
    """A player whose agent lives in another process.

    timeout  seconds for one answer; a process that takes longer is ended, its agent has failed
    """

    def __init__(self, spec: AgentSpec, settings: PlayerSettings, timeout: float = TIMEOUT):
        self.spec, self.settings, self._timeout = spec, settings, timeout
        self._process: subprocess.Popen | None = None
        self.declared = self._start()

    def reset(self, seed: int) -> None:
        """Starts the process again if an earlier episode ended it."""
        if self._process is None and self._start() != self.declared:
            raise UserError(f"agent {self.spec.path} declares other things every time it is built")
        self._call("reset", seed)

    def act(self, observation: Any, truth: dict[str, np.ndarray] | None) -> Any:
        action = self._call("act", observation, truth)
        reason = call_agent(action_fault, self.settings.action_space, action)
        if reason:
            raise AgentError(reason)
        return action

    def refine(self, observation: Any) -> Any:
        return self._call("refine", observation)

    def refine_within(self, look_back: int) -> Any:
        return self._call("refine_within", look_back)

    def reset_predictor(self, facts: dict[str, Any], truth: Truth) -> None:
        self._sent: list[Any] = []
        self._truth = truth if "truth" in self.declared.predictor_privileged else None
        self._call("reset_predictor", facts)

    def predict(self, pairs: Pairs, history: Sequence[Any]) -> np.ndarray:
        history = list(history)
        known = {id(step) for step in self._sent}
        news = [step for step in history if id(step) not in known]
        rirs = self._call("predict", pairs, len(history), news)
        self._sent = history  # kept, so that no other step can get the same id
        return call_agent(checked_prediction, rirs, len(pairs.heading), "the predictor")

    def observe(self, pairs: Pairs, rirs: np.ndarray) -> None:
        self._call("observe", pairs, rirs)

    def close(self) -> None:
        """End the process; `reset` would start it again."""
        process, self._process = self._process, None
        if process is None:
            return
        self._requests.close()
        self._answers.close()
        self._writer.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> Declared:
        heard, self._requests = Pipe(duplex=False)
        self._answers, said = Pipe(duplex=False)
        self._writer = ArrayWriter()
        ends = (heard.fileno(), said.fileno(), self._writer.descriptor)
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from av_envs.benchmarks.play.agent_process import main; main{ends}"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what agents print is no output of the command
            start_new_session=True,  # an interruption is for us, we end it then
        )
        heard.close()
        said.close()
        try:
            declared = self._call(
                "build", self.spec.path, self.spec.kwargs_json, self.settings, timeout=BUILD_TIMEOUT
            )
        except AgentError as error:
            self.close()
            raise UserError(
                f"agent {self.spec.path} cannot be built: {error}\n{error.traceback}"
            ) from error
        except BaseException:
            self.close()
            raise
        return Declared(**{k: tuple(v) if isinstance(v, list) else v for k, v in declared.items()})

    def _call(self, verb: str, *arguments: Any, timeout: float | None = None) -> Any:
        if self._process is None:
            raise AgentError("its process has ended")
        try:
            self._requests.send_bytes(self._writer.dumps((verb, arguments)))
            while True:
                kind, *content = self._receive(timeout or self._timeout)
                if kind != "truth":
                    break
                self._requests.send_bytes(self._writer.dumps(self._truth_of(content)))
        except (EOFError, OSError) as error:
            raise AgentError(f"its process ended with {self._status()}") from error
        except (ValueError, TypeError) as error:
            self.close()
            raise AgentError(f"its process does not answer in our format: {error}") from error
        if kind == "done":
            return content[0]
        if kind == "mistake":
            raise UserError(str(content[0]))
        message, words = content
        raise AgentError(str(message), traceback=str(words))

    def _receive(self, timeout: float) -> list[Any]:
        if not self._answers.poll(timeout):
            self._process.kill()
            self.close()
            raise AgentError(f"no answer within {timeout:g} s")
        answer = unpack(self._answers.recv_bytes(MOST_BYTES))
        if not isinstance(answer, list) or not answer or answer[0] not in KINDS:
            raise ValueError("an answer is a list that begins with its kind")
        if len(answer) != KINDS[answer[0]]:
            raise ValueError(f"an answer {answer[0]!r} has {KINDS[answer[0]]} entries")
        return answer

    def _truth_of(self, content: list[Any]) -> np.ndarray:
        if self._truth is None:
            raise ValueError("it asks for the truth, which it has not declared")
        return self._truth(Pairs(*content[0]))

    def _status(self) -> str:
        """How the process ended."""
        process = self._process
        self.close()
        code = process.returncode
        return f"signal {-code}" if code < 0 else f"exit status {code}"


KINDS = {"done": 2, "mistake": 2, "failed": 3, "truth": 2}  # entries of an answer

_kept: dict[tuple, AgentProcess] = {}  # at most one


def open_player(
    spec: AgentSpec, settings: PlayerSettings, *, isolated: bool = True, timeout: float = TIMEOUT
) -> Player:
    """The agent, built; errors say why it cannot be.

    isolated  in a process of its own, the one that was kept if it plays the same agent
    """
    if not isolated:
        return LocalPlayer(spec, settings)
    key = (spec, settings.seed, settings.predicts, timeout, source_hash(spec.path, spec.kwargs))
    kept = _kept.get(key)
    if kept is not None and kept.settings == settings:
        return kept
    close_players()
    _kept[key] = AgentProcess(spec, settings, timeout)
    return _kept[key]


@atexit.register
def close_players() -> None:
    """End the kept process; it would end by itself when this one does."""
    while _kept:
        _, player = _kept.popitem()
        with contextlib.suppress(OSError):
            player.close()
