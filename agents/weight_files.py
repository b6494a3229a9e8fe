"""Reading files of weights without executing anything in them: safetensors with a JSON header."""

import json
import pickle
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model
from torch import nn

from av_envs.paths import user_path

LARGEST_FILE = 2**31  # bytes
# What a damaged file, or a header in the wrong form, can raise while it is read and built from.
MALFORMED = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    RecursionError, RuntimeError, TypeError, ValueError, pickle.UnpicklingError, SafetensorError,
)  # fmt: skip


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


def load_weights(network: nn.Module, path: str | Path, what: str) -> None:
    """Fill a network, what it is called; ValueError unless the weights fit and are finite."""
    path = user_path(path)
    try:
        load_model(network, path)
    except MALFORMED as error:
        raise ValueError(f"{path}: does not fit its {what}: {one_line(error)}") from error
    broken = not_finite(network)
    if broken:
        raise ValueError(f"{path}: has weights that are not finite numbers: {broken}")


def not_finite(network: nn.Module) -> str | None:
    """The name of the first weights or buffers with NaN or infinity; None: there are none."""
    state = network.state_dict().items()
    return next((name for name, value in state if not value.isfinite().all()), None)


def one_line(error: Exception) -> str:
    """What an error says, cut and on one line: torch lists every layer."""
    return f"{' '.join(str(error).split()) or type(error).__name__:.300}"
