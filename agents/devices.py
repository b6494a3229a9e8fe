"""Where networks compute."""

import torch

from av_envs.agents.weight_files import MALFORMED, one_line


def device_named(name: str | None) -> torch.device:
    """The device of that name; None: a graphics processor if there is one.

    Raises ValueError if there is none of that name here.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except MALFORMED as error:
        raise ValueError(f"device {name!r} is not to be had: {one_line(error)}") from error
