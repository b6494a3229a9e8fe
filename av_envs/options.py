"""Checks of options: each returns the value or raises an error that names it; argparse types."""

import argparse
import sys
from collections.abc import Iterable
from numbers import Integral
from typing import Any


def check_choice(option: str, value: Any, valid: Iterable[str]) -> None:
    """Raise unless the value is one of the valid ones."""
    if value not in valid:
        raise ValueError(f"{option} {value!r} does not exist; choose from {', '.join(valid)}")


def checked_names(option: str, names: Any, valid: Iterable[str], what: str) -> tuple[str, ...]:
    """Distinct names, each one of the valid ones.

    what  a list of them is called in the error, such as "names"
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(f"{option} must be a list of {what}, got {names!r}")
    names = tuple(names)
    for name in names:
        check_choice(option, name, valid)
    if len(set(names)) < len(names):
        raise ValueError(f"{option} must be distinct, got {names}")
    return names


def check_whole(option: str, value: Any, low: int, high: int) -> None:
    """Raise unless the value is an int in low..high; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{option} must be a whole number in {low}..{high}, got {value!r}")


def checked_count(name: str, count: Any) -> int:
    """A whole number from 1 on, those of numpy included, as an int."""
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, got {count!r}")
    return int(count)


def check_flag(option: str, value: Any) -> None:
    """Raise unless the value is a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"{option} must be True or False, got {value!r}")


def is_number(value: Any) -> bool:
    """Whether the value is a finite real number that JSON can carry; a bool is none."""
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and abs(value) <= sys.float_info.max


def check_number(option: str, value: Any) -> None:
    """Raise unless `is_number`."""
    if not is_number(value):
        raise ValueError(f"{option} must be a number, got {value!r}")


def check_share(option: str, value: Any) -> None:
    """Raise unless the value is a number in 0..1."""
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{option} must lie in 0..1, got {value!r}")


def positive_int(text: str) -> int:
    """An argparse type: a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def non_negative_int(text: str) -> int:
    """An argparse type: a whole number of at least 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {number}")
    return number
