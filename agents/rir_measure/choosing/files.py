"""Files of a `Chooser`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from av_envs.agents.rir_measure.choosing.network import Chooser, ChooserConfig
from av_envs.agents.weight_files import (
    MALFORMED,
    check_agent,
    load_weights,
    one_line,
    read_header,
    save_weights,
)

AGENT = "place chooser"  # which the files name
VERSION = 1  # of network and features: raise it when the same weights would choose otherwise


@dataclass(frozen=True)
class Header:
    """What a file says; JSON-safe.

    config   of the network
    made     how: the command, its options, scores
    """

    agent: str
    config: dict[str, Any]
    made: dict[str, Any]
    version: int = VERSION


def save_chooser(policy: Chooser, path: Path, made: dict[str, Any]) -> None:
    """Write a chooser; `made` says how, see `Header`."""
    save_weights(policy, path, asdict(Header(AGENT, asdict(policy.config), made)))


def load_chooser(path: Path) -> Chooser:
    """The chooser in a file; ValueError with the file's name unless there is one."""
    kept = read_header(path, "header", "network of av_envs.agents")
    try:
        header = Header(**kept)
        check_agent(path, (header.agent, header.version), AGENT, VERSION)
        policy = Chooser(ChooserConfig(**header.config))
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    load_weights(policy, path, "network")
    return policy.eval()
