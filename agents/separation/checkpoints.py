"""Networks as files without pickled code: safetensors whose header says what they are.

The header names the agent, the version of its networks, the configuration from which they are
built, the classes of the corpus that they were trained on, and the command that made them.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model
from torch import nn

from av_envs.agents.ppo.checkpoint import MALFORMED, one_line
from av_envs.paths import user_path
from av_envs.whole_files import replacing

VERSION = 1  # of the networks: raise it when the same weights would give other outputs
LARGEST_FILE = 2**31  # bytes


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
    """Write weights and header; the file is there whole or not at all.

    Weights are kept in half precision: half the size, and what they lose is not heard. Raises
    FloatingPointError for weights that are no finite numbers in it.
    """
    kept = copy.deepcopy(network).cpu().half()
    broken = _not_finite(kept)
    if broken:
        raise FloatingPointError(f"{path}: cannot keep weights that are not finite: {broken}")
    with replacing(user_path(path)) as draft:
        save_model(kept, str(draft), {"header": json.dumps(header.__dict__)})


def read_header(path: str | Path, agent: str) -> Header:
    """The header of a file; ValueError with its name unless it is one of this agent."""
    path = user_path(path)
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{path}: has {size} bytes; of weights {LARGEST_FILE} are read")
    try:
        with safe_open(path, "pt") as file:
            kept = json.loads((file.metadata() or {})["header"])
        header = Header(**{**kept, "classes": tuple(map(str, kept["classes"]))})
        if not isinstance(header.config, dict) or not isinstance(header.made, dict):
            raise TypeError("config and made must be JSON objects")
    except KeyError as error:
        raise ValueError(f"{path}: holds no network of av_envs.agents: lacks {error}") from None
    except (SafetensorError, *MALFORMED) as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error
    if header.agent != agent:
        raise ValueError(f"{path}: holds {header.agent!r:.60}, {agent!r} is wanted")
    if header.version != VERSION:
        raise ValueError(
            f"{path}: its networks have version {header.version!r:.20}, here they have {VERSION}"
        )
    return header


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Fill a network that was built from the header; ValueError if the weights do not fit."""
    path = user_path(path)
    try:
        load_model(network, path)
    except (SafetensorError, *MALFORMED) as error:
        raise ValueError(f"{path}: does not fit its network: {one_line(error)}") from error
    broken = _not_finite(network)
    if broken:
        raise ValueError(f"{path}: has weights that are not finite numbers: {broken}")


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


def _not_finite(network: nn.Module) -> str | None:
    """The name of the first weights or buffers with NaN or infinity; None: there are none."""
    state = network.state_dict().items()
    return next((name for name, value in state if not value.isfinite().all()), None)
