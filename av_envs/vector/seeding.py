"""Which environments begin a reset, and with which seeds."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded


def seeds_of(seed: int | Sequence[int | None] | None, count: int) -> list[int | None]:
    """One seed per environment; a single number is that of the first, the others count on."""
    if seed is None:
        return [None] * count
    if _is_seed(seed):
        return [int(seed) + i for i in range(count)]
    if isinstance(seed, str) or not isinstance(seed, Sequence | np.ndarray):
        raise ValueError(f"seed must be a whole number from 0 on, or one of each, got {seed!r}")
    seeds = list(seed)
    if len(seeds) != count:
        raise ValueError(f"{count} environments need as many seeds, got {len(seeds)}")
    for one in seeds:
        if one is not None and not _is_seed(one):
            raise ValueError(f"a seed is a whole number from 0 on, or None, got {one!r}")
    return [one if one is None else int(one) for one in seeds]


def _is_seed(seed: Any) -> bool:
    return isinstance(seed, Integral) and not isinstance(seed, bool) and int(seed) >= 0


def taken_mask(options: dict[str, Any], count: int, is_first: bool) -> np.ndarray:
    """(count,) bool, which episodes begin; takes "reset_mask" out of the options of `reset`.

    is_first  no episode has begun yet, so all must
    """
    if "reset_mask" not in options:
        return np.ones(count, bool)
    mask = options.pop("reset_mask")
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        raise TypeError(f"reset_mask must be a numpy array of bool, got {mask!r}")
    if mask.shape != (count,):
        raise ValueError(f"reset_mask must have shape ({count},), got {mask.shape}")
    if not mask.any():
        raise ValueError("reset_mask must choose at least one environment")
    if is_first and not mask.all():
        raise ResetNeeded("the first reset() must be of all environments")
    return mask.copy()
