"""Agents by import path, `module:Factory`: their interface, loading and description.

An agent is any object with `reset` and `act` as below; no base class is needed.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gymnasium import spaces

from av_envs import plugins
from av_envs.benchmarks.command_line import UserError, json_object
from av_envs.benchmarks.play.source_code import file_hash, find_module, full_path, source_hash
from av_envs.paths import user_path

CARD_KEYS = ("name", "authors", "url", "train")


class Agent(Protocol):
    """All a leaderboard entry must offer, built by
    `Factory(observation_space, action_space, *, seed, **kwargs)`.

    An agent that declares `privileged: tuple[str, ...]` is called as
    `act(observation, privileged)` with a dict of these keys, and is marked on the board.
    A `card: dict` may give name, authors, url and train (how it was trained). In the measuring
    task `predictor` may name or be the predictor of the responses, see `install_predictor`. Where
    the agent's own estimates are scored, `refine(observation)` may give, after the last step,
    estimates of all seconds of the episode with hindsight, see `SeparationEnv.score_refined`, and
    then `refine_within(look_back)` the same with the hindsight of so many seconds.
    """

    def reset(self, *, seed: int | None = None) -> None: ...
    def act(self, observation: Any) -> Any: ...


@dataclass(frozen=True)
class AgentSpec:
    """Which agent, in words that fit into a file.

    path         "module:Factory"
    kwargs_json  keyword arguments of the factory, as canonical JSON
    """

    path: str
    kwargs_json: str = "{}"

    @property
    def kwargs(self) -> dict[str, Any]:
        return json.loads(self.kwargs_json)

    @property
    def label(self) -> str:
        """Short name for people and for files: the factory, and a digest of its arguments."""
        name = self.path.partition(":")[2]
        if self.kwargs_json == "{}":
            return name
        return f"{name}-{hashlib.sha256(self.kwargs_json.encode()).hexdigest()[:8]}"

    @classmethod
    def parse(cls, path: str, kwargs_text: str = "{}") -> "AgentSpec":
        """Read the two command-line arguments; refuse what is not there. Nothing is imported."""
        kwargs = json_object(kwargs_text, "--agent-kwargs")
        path = full_path(path)
        check_path(path)
        return cls(path, json.dumps(kwargs, sort_keys=True, separators=(",", ":")))


def check_path(path: str) -> None:
    """Refuse what is not of the form "module:Factory", or whose module is not there."""
    if not plugins.is_import_path(path):
        raise UserError(
            f"agent {path!r} is not of the form module:Factory, "
            "for example av_envs.baselines.separation:Random"
        )
    module_name = full_path(path).partition(":")[0]
    if find_module(module_name) is None:
        raise UserError(
            f"agent {path!r}: no module named {module_name!r} "
            "(install av-envs, or run from where the module is)"
        )


def load_factory(path: str) -> Callable[..., Agent]:
    """Import what `module:Factory` names."""
    check_path(path)
    try:
        return plugins.load(full_path(path), "agent")
    except ValueError as error:
        raise UserError(str(error)) from error


def build_agent(
    spec: AgentSpec, observation_space: spaces.Space, action_space: spaces.Space, seed: int
) -> Agent:
    """The agent that the factory returns; `UserError` where it has none or a wrong interface."""
    try:
        agent = load_factory(spec.path)(observation_space, action_space, seed=seed, **spec.kwargs)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"agent {spec.path} with {spec.kwargs_json} cannot be built: "
            f"{type(error).__name__}: {error}"
        ) from error
    try:
        plugins.check_methods(agent, f"agent {spec.path!r}", ("reset", "act"))
    except ValueError as error:
        raise UserError(str(error)) from None
    _check_card(spec, agent)
    privileged = getattr(agent, "privileged", ())
    if isinstance(privileged, str) or not all(isinstance(key, str) for key in privileged):
        raise UserError(f"agent {spec.path}: privileged must be a tuple of keys: {privileged!r}")
    return agent


def _check_card(spec: AgentSpec, agent: Agent) -> None:
    card = getattr(agent, "card", {})
    if not isinstance(card, dict) or set(card) - set(CARD_KEYS):
        raise UserError(f"agent {spec.path}: card must be a dict with keys of {CARD_KEYS}: {card}")
    try:
        json.dumps(card, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"agent {spec.path}: card is not JSON ({error})") from None


def describe_agent(
    spec: AgentSpec, card: dict[str, Any], privileged: Sequence[str]
) -> dict[str, Any]:
    """The `agent` block of a result file.

    card, privileged  what the agent declared when it was built, its predictor's keys included
    """
    checkpoint = spec.kwargs.get("checkpoint")
    return {
        "path": spec.path,
        "kwargs": spec.kwargs,
        "hash": source_hash(spec.path, spec.kwargs),
        "name": card.get("name", spec.label),
        "authors": card.get("authors"),
        "url": card.get("url"),
        "checkpoint_sha256": file_hash(user_path(checkpoint, "checkpoint")) if checkpoint else None,
        "train": card.get("train"),
        "privileged": list(privileged),
    }
