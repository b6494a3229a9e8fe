"""The agents of an experiment by short names, and what they are built with."""

import json
from typing import Any

from av_envs.benchmarks.command_line import UserError, json_object
from av_envs.benchmarks.play.agents import AgentSpec

RULES, LEARNED = "av_envs.baselines.separation", "av_envs.agents.separation"
NAMES = {
    LEARNED: ("Active", "SingleStep", "Memoryless", "Move2Hear", "Novelty", "LearnedDoA"),
    RULES: (
        "StandInPlace",
        "RotateInPlace",
        "Random",
        "Novelty",
        "GoToLoudest",
        "GoToNearest",
        "ProximityPrior",
        "DoA",
        "Oracle",
    ),
}
SEPARATOR = f"{LEARNED}:Passive"  # of the agents that do not learn


def agents_of(texts: list[str], kwargs_text: str, separator: str) -> dict[str, AgentSpec]:
    """The agents by the names that tables give them.

    texts        a name of NAMES or "module:Factory", with "LABEL=" before it or not
    kwargs_text  JSON object: keyword arguments of the factories, by the names
    separator    of the agents that do not learn, unless theirs is among the arguments
    """
    paths: dict[str, str] = {}
    for text in texts:
        label, equals, named = text.partition("=")
        path = _path_of(named if equals else text)
        label = label if equals else path.partition(":")[2]
        if label in paths:
            raise UserError(f"two agents are called {label!r}; tell them apart with LABEL={path}")
        paths[label] = path
    kwargs = _kwargs_of(kwargs_text, paths)
    made = {}
    for label, path in paths.items():
        given = {"separator": separator} if path.startswith(f"{RULES}:") else {}
        made[label] = AgentSpec.parse(path, json.dumps({**given, **kwargs.get(label, {})}))
    return made


def _path_of(name: str) -> str:
    if ":" in name:
        return name
    found = [f"{package}:{name}" for package, names in NAMES.items() if name in names]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"agent {name!r} is one of two: {' or '.join(found)}")
    known = ", ".join(dict.fromkeys(name for names in NAMES.values() for name in names))
    raise UserError(f"unknown agent {name!r}; there is {known}, or module:Factory")


def _kwargs_of(text: str, labels: dict[str, str]) -> dict[str, dict[str, Any]]:
    given = json_object(text, "--agent-kwargs")
    if not all(isinstance(one, dict) for one in given.values()):
        raise UserError(f"--agent-kwargs must be a JSON object of objects by agent, got {text}")
    for label in given:
        if label not in labels:
            raise UserError(
                f"--agent-kwargs names {label!r}, which does not play; there is {', '.join(labels)}"
            )
    return given
