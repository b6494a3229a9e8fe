"""What may be asked of a device, and what is refused."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from av_envs.separation.actions import Action
from av_envs.separation.config import SeparationConfig

CHUNKS = {"cuda": 512, "cpu": 4}  # environments that hear at once, unless `chunk` says else


def checked_device(device: str | torch.device) -> torch.device:
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device {device!r} is none that torch knows, such as 'cuda'") from error
    if found.type not in CHUNKS:
        raise ValueError(f"device must be of the type {' or '.join(CHUNKS)}, got {device!r}")
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {device!r}: torch {torch.__version__} finds no GPU; try 'cpu'")
    return found


def checked_chunk(chunk: int | None, device: torch.device) -> int:
    if chunk is None:
        return CHUNKS[device.type]
    if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
        raise ValueError(f"chunk must be a whole number from 1 on, got {chunk!r}")
    return chunk


def checked_config(config: SeparationConfig, render_mode: str | None) -> SeparationConfig:
    """The config, if all it asks for is done on a device."""
    for name, value, only in (
        ("estimator", config.estimator, "mixture"),
        ("noise_snr_db", config.noise_snr_db, None),
        ("backend", config.backend, "traced"),
        ("render_mode", render_mode, None),
    ):
        if value != only:
            raise ValueError(
                f"{name}={value!r} is not available with device=; it must be {only!r}. "
                "Without device= it is"
            )
    return config


def checked_actions(actions: Any, num_envs: int, device: torch.device) -> Tensor:
    """(N,) int64 on the device.

    The host does not wait for the values of a tensor on a GPU: a wrong one fails there.
    """
    if isinstance(actions, Tensor):
        given = actions.detach()
        is_integer = not (given.is_floating_point() or given.is_complex())
        is_integer &= given.dtype != torch.bool
    else:
        array = np.asarray(actions)
        is_integer, given = array.dtype.kind in "iu", array
    if tuple(given.shape) != (num_envs,) or not is_integer:
        raise ValueError(
            f"actions must be ({num_envs},) integers, got shape {tuple(given.shape)} "
            f"of {given.dtype}"
        )
    if not isinstance(given, Tensor):
        given = torch.from_numpy(given.astype(np.int64))
    if given.device.type == "cpu":
        wrong = given[(given < 0) | (given >= len(Action))]
        if len(wrong):
            choices = ", ".join(f"{known.value} {known.name.lower()}" for known in Action)
            raise ValueError(f"action must be one of {choices}; got {wrong[0].item()}")
    return given.to(device, torch.int64, non_blocking=True)
