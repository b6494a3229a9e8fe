"""Argument validation of the torch backend."""

import json
from typing import Any

import numpy as np
import torch
from torch import Tensor

from av_envs.separation.actions import Action
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device.episode_table import on_device

CHUNKS = {"cuda": 512, "cpu": 4}  # environments rendered at once, unless `chunk` says else


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
    options = json.loads(config.world.options)
    for name, value, only in (
        ("estimator", config.estimator, "mixture"),
        ("noise_snr_db", config.noise_snr_db, None),
        ("backend", config.backend, "traced"),
        ("acoustics", options.get("acoustics", "traced"), "traced"),
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
    on_gpu = isinstance(actions, Tensor) and actions.device.type != "cpu"
    given = actions if on_gpu else np.asarray(actions)
    if tuple(given.shape) != (num_envs,) or not _is_integer(given):
        raise ValueError(
            f"actions must be ({num_envs},) integers, got shape {tuple(given.shape)} "
            f"of {given.dtype}"
        )
    if on_gpu:
        return given.to(device, torch.int64)
    wrong = given[(given < 0) | (given >= len(Action))]
    if len(wrong):
        choices = ", ".join(f"{known.value} {known.name.lower()}" for known in Action)
        raise ValueError(f"action must be one of {choices}; got {wrong[0]}")
    return on_device(given.astype(np.int64), device)


def _is_integer(values: Tensor | np.ndarray) -> bool:
    if isinstance(values, Tensor):
        return not values.dtype.is_floating_point and not values.dtype.is_complex
    return values.dtype.kind in "iu"
