"""The actions of many environments in one array."""

from typing import Any

import numpy as np


def shaped(given: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The actions of N environments as an array of this shape, or a ValueError about `what`."""
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{what} must have shape {shape}: {error}") from error
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {array.shape}")
    return array
