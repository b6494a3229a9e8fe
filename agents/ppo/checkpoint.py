"""All that a run needs to go on, in one file, read without executing anything in it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.weight_files import MALFORMED, one_line
from av_envs.whole_files import replacing

FORMAT = 1  # changes when what is kept does
PLAIN = (Tensor, str, bytes, int, float, bool, type(None))


@dataclass(frozen=True)
class Checkpoint:
    """A run between two updates.

    agent      what it trains, by name
    config     options that it must keep, name -> plain value
    update     updates done
    steps      steps of all environments together
    seconds    of training
    policy     its weights
    optimiser  its state
    random     of each rank, see `random_states`
    kept       states of what the task adds, by name
    """

    agent: str
    config: dict[str, Any]
    update: int
    steps: int
    seconds: float
    policy: dict[str, Tensor]
    optimiser: dict[str, Any]
    random: list[dict[str, Any]]
    kept: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it whole or not at all; TypeError for what could not be read back."""
    contents = {each.name: getattr(checkpoint, each.name) for each in fields(checkpoint)}
    for name, value in contents.items():
        _check_plain(name, value)
    with replacing(path) as draft:
        torch.save({"format": FORMAT, **contents}, draft)


def load_checkpoint(path: Path, agent: str, config: Mapping[str, Any] | None = None) -> Checkpoint:
    """Read it, on the host.

    agent, config  what the run that goes on has; None: whatever config

    Raises FileNotFoundError if there is none, and ValueError with the file's name for one that
    is damaged, of another version, agent or config.
    """
    if not path.exists():
        raise FileNotFoundError(f"nothing to resume: {path} is missing")
    if not is_zipfile(path):  # as torch.save writes; torch.load would try older forms, too
        raise ValueError(f"{path}: cannot be read as a checkpoint: it is cut or another file")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as a checkpoint: {one_line(error)}") from error
    if not isinstance(contents, dict) or "format" not in contents:
        raise ValueError(f"{path}: holds no checkpoint of av_envs.agents.ppo")
    version = contents.pop("format")
    if version != FORMAT:
        raise ValueError(f"{path}: is of version {version!r:.40}; this one reads {FORMAT}")
    wanted = {each.name for each in fields(Checkpoint)}
    if contents.keys() != wanted:
        raise ValueError(f"{path}: must hold {', '.join(sorted(wanted))}")
    found = Checkpoint(**contents)
    if found.agent != agent:
        raise ValueError(f"{path}: is of the agent {found.agent!r:.100}, not {agent!r}")
    if config is not None:
        _check_same(path, found.config, config)
    return found


def random_states(device: torch.device) -> dict[str, Any]:
    """Where the global random numbers of Python, NumPy and torch are, in plain values."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002  global on purpose
    states = {
        "python": random.getstate(),
        "numpy": (kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Go on with these random numbers."""
    random.setstate(states["python"])
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002  global on purpose
    torch.set_rng_state(states["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


def seed_everything(seed: int) -> None:
    """Begin all global random numbers anew."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  global on purpose
    torch.manual_seed(seed)


def _check_plain(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_plain(f"{name}[{key!r}]", each)
    elif type(value) in (list, tuple):
        for i, each in enumerate(value):
            _check_plain(f"{name}[{i}]", each)
    elif type(value) not in PLAIN:
        raise TypeError(
            f"a checkpoint keeps tensors, numbers, texts and containers of them; "
            f"{name} is a {type(value).__module__}.{type(value).__name__}"
        )


def _check_same(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    none = object()  # equals no value
    other = [n for n in {**there, **here} if there.get(n, none) != here.get(n, none)]
    if other:
        told = ", ".join(f"{n} {there.get(n)!r:.40} (now {here.get(n)!r:.40})" for n in other)
        raise ValueError(f"{path}: was made with other options, which a run keeps: {told}")
