"""Networks as files without pickled code: safetensors whose header says what they are.

The header names the agent, the version of its networks, the configuration from which they are
built, the classes of the corpus that they were trained on, and the command that made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from av_envs.agents.weight_files import (
    MALFORMED,
    check_agent,
    one_line,
    read_header,
    save_weights,
)

VERSION = 1  # of the networks: raise it when the same weights would give other outputs


@dataclass(frozen=True)
class Header:
    """What a file says of the networks in it; JSON-safe.

    agent     what they are part of, such as "separator"
    config    what they are built from
    classes   names of the classes of the corpus, by label
    made      how: the command, pairs or steps seen, scores
    version   of the networks
    """

    agent: str
    config: dict[str, Any]
    classes: tuple[str, ...]
    made: dict[str, Any]
    version: int = VERSION


def save_network(network: nn.Module, path: str | Path, header: Header) -> None:
    """Write weights and header, see `weight_files.save_weights`."""
    save_weights(network, path, header.__dict__)


def network_header(path: str | Path, agent: str) -> Header:
    """The header of a file; ValueError with its name unless it is one of this agent."""
    kept = read_header(path, "header", "network of av_envs.agents")
    try:
        header = Header(**{**kept, "classes": tuple(map(str, kept["classes"]))})
        if not isinstance(header.config, dict) or not isinstance(header.made, dict):
            raise TypeError("config and made must be JSON objects")
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    check_agent(path, (header.agent, header.version), agent, VERSION)
    return header


def check_classes(path: str | Path, header: Header, classes: Sequence[str]) -> None:
    """Raise a ValueError unless the networks were trained on a corpus of these classes."""
    if header.classes == tuple(classes):
        return
    if len(header.classes) != len(classes):
        raise ValueError(
            f"{path}: was trained on {len(header.classes)} classes, the corpus has {len(classes)}"
        )
    pairs = zip(header.classes, classes, strict=True)
    label, (theirs, ours) = next((k, pair) for k, pair in enumerate(pairs) if pair[0] != pair[1])
    raise ValueError(f"{path}: its class {label} is {theirs!r}, that of the corpus is {ours!r}")
