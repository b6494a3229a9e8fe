"""Files of weights without anything in them that is executed: safetensors with a JSON header."""

import copy
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, load_model, save_model
from torch import Tensor, nn

from av_envs.paths import user_path
from av_envs.whole_files import replacing

LARGEST_FILE = 2**31  # bytes
FACTOR = ".factor"  # after the name of a matrix in 8 bits: what its rows are multiplied with
# What a damaged file, or a header in the wrong form, can raise while it is read and built from.
MALFORMED = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    RecursionError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError, SafetensorError,
)  # fmt: skip


def save_weights(network: nn.Module, path: str | Path, header: Mapping[str, Any]) -> None:
    """Write weights, and what `read_header` will find under "header"; whole or not at all.

    Weights are kept in half precision: half the size, and what they lose does not matter. Raises
    FloatingPointError for weights that are no finite numbers in it.
    """
    kept = copy.deepcopy(network).cpu().half()
    broken = not_finite(kept)
    if broken:
        raise FloatingPointError(f"{path}: cannot keep weights that are not finite: {broken}")
    with replacing(user_path(path)) as draft:
        save_model(kept, str(draft), {"header": json.dumps(dict(header))})


def read_header(path: str | Path, key: str, what: str) -> Any:
    """What the header of a file says under a key, JSON.

    what  the file should hold

    Raises FileNotFoundError, or ValueError with its name for a damaged file or another one.
    """
    path = user_path(path)
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"{path}: has {size} bytes; of weights {LARGEST_FILE} are read")
    try:
        with safe_open(path, "pt") as file:
            return json.loads((file.metadata() or {})[key])
    except KeyError as error:
        raise ValueError(f"{path}: holds no {what}: lacks {error}") from None
    except MALFORMED as error:
        raise ValueError(f"{path}: cannot be read as weights: {one_line(error)}") from error


def check_agent(path: str | Path, found: tuple[Any, Any], agent: str, version: int) -> None:
    """Raise a ValueError unless the networks in a file are of this agent and version.

    found  agent and version that the header names
    """
    if found[0] != agent:
        raise ValueError(f"{path}: holds {found[0]!r:.60}, {agent!r} is wanted")
    if found[1] != version:
        raise ValueError(
            f"{path}: its networks have version {found[1]!r:.20}, here they have {version}"
        )


def load_weights(network: nn.Module, path: str | Path, what: str) -> None:
    """Fill a network, what it is called; ValueError unless the weights fit and are finite."""
    path = user_path(path)
    try:
        tensors = load_file(path)
        if any(name.endswith(FACTOR) for name in tensors):
            network.load_state_dict(_in_full(tensors))
        else:
            load_model(network, path)  # which knows of weights that are used twice
    except MALFORMED as error:
        raise ValueError(f"{path}: does not fit its {what}: {one_line(error)}") from error
    broken = not_finite(network)
    if broken:
        raise ValueError(f"{path}: has weights that are not finite numbers: {broken}")


def _in_full(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same, where matrices are kept in 8 bits, see `eight_bits`, multiplied with factors."""
    made = {}
    for name, value in tensors.items():
        matrix = name.removesuffix(FACTOR)
        if matrix != name and matrix in tensors:
            continue
        factor = tensors.get(name + FACTOR)
        if factor is not None:
            value = value * factor.reshape(-1, *[1] * (value.ndim - 1))
        made[name] = value
    return made


def not_finite(network: nn.Module) -> str | None:
    """The name of the first weights or buffers with NaN or infinity; None: there are none."""
    state = network.state_dict().items()
    return next((name for name, value in state if not value.isfinite().all()), None)


def one_line(error: Exception) -> str:
    """What an error says, cut and on one line: torch lists every layer."""
    return f"{' '.join(str(error).split()) or type(error).__name__:.300}"
