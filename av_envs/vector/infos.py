"""Infos of many environments in the form that Gymnasium's vector environments return them."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def stacked_infos(infos: Mapping[int, Mapping[str, Any]], count: int) -> dict[str, Any]:
    """Key -> (count, ...) of all environments, and `_key` -> (count,) bool, which have it.

    infos  by the number of the environment; the others have none

    Numbers and arrays become arrays of their type, zero where there are none; dicts are stacked
    key by key; anything else becomes objects, None where there are none.
    """
    keys = dict.fromkeys(key for info in infos.values() for key in info)
    stacked = {}
    for key in keys:
        values = {i: info[key] for i, info in infos.items() if key in info}
        stacked[key] = _column(values, count)
        stacked[f"_{key}"] = has = np.zeros(count, bool)
        has[list(values)] = True
    return stacked


def stacked_finals(finals: Mapping[int, tuple[Any, Mapping[str, Any]]], count: int) -> dict:
    """`final_obs` and `final_info` with their masks; nothing where no episode ended.

    finals  observation and info of the last step, by the number of the environment
    """
    if not finals:
        return {}
    observations, has = np.full(count, None, object), np.zeros(count, bool)
    for i, (observation, _) in finals.items():
        observations[i], has[i] = observation, True
    infos = stacked_infos({i: {"final_info": info} for i, (_, info) in finals.items()}, count)
    return {"final_obs": observations, "_final_obs": has, **infos}


def _column(values: Mapping[int, Any], count: int) -> np.ndarray | dict[str, Any]:
    first = next(iter(values.values()))
    if isinstance(first, Mapping):
        return stacked_infos(values, count)
    if isinstance(first, np.ndarray | np.number):
        column = np.zeros((count, *first.shape), first.dtype)
    else:
        column = np.full(count, None, object)
    for i, value in values.items():
        column[i] = value
    return column
