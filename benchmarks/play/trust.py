"""What an agent that a file names would run: which of it is the package's own."""

from collections.abc import Iterator
from typing import Any

from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.paths import user_path
from av_envs.plugins import is_import_path

SAFE = ".safetensors"
PACKAGE = "av_envs."


def files_with_code(agent: AgentSpec) -> dict[str, str]:
    """Arguments of an agent that are files which may hold code that runs when they are loaded."""
    return {
        name: value
        for name, value in agent.kwargs.items()
        if (name == "checkpoint" or _is_file(value)) and not str(value).endswith(SAFE)
    }


def foreign_code(agent: AgentSpec) -> list[str]:
    """What an agent would run that does not come with the package: import paths and files."""
    paths = [agent.path, *(text for text in _texts(agent.kwargs) if is_import_path(text))]
    foreign = [path for path in paths if not path.startswith(PACKAGE)]
    return [*foreign, *map(str, files_with_code(agent).values())]


def _texts(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _is_file(value: Any) -> bool:
    try:
        return isinstance(value, str) and user_path(value).is_file()
    except (OSError, ValueError, RuntimeError):
        return False  # no name of a file
