"""How a path that a user gives is read, for every option and command alike.

A text or a path object, "~" for a home directory, a suffix in capitals: all mean the same
everywhere. Options keep paths as texts, since they must be JSON-safe.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any


def user_path(value: str | os.PathLike[str], what: str = "the path", kind: str = "a path") -> Path:
    """The path that a user means, "~" expanded; else a ValueError: `what` must be `kind`."""
    text = _text(value, what, kind)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"{what}: nobody knows the home directory in {text!r}") from None


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix in small letters with its dot, ".sofa" of "HEAD.SOFA"; "" if there is none."""
    return PurePath(path).suffix.lower()


def path_text(
    value: str | os.PathLike[str], what: str = "the path", names: Sequence[str] = ()
) -> str:
    """What an option keeps: the text of a path as it was given, or one of `names`.

    A path object is a path even if it is called like one of `names`.
    """
    text = _text(value, what)
    return os.path.join(os.curdir, text) if value not in names and text in names else text


def path_argument(text: str) -> Path:
    """`user_path` as the type of an argument on a command line."""
    try:
        return user_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def plain_paths(value: Any) -> Any:
    """The same with every path object as text, in containers as deep as JSON has them."""
    if isinstance(value, os.PathLike):
        return _text(value, "the path")
    if isinstance(value, Mapping):
        return {key: plain_paths(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain_paths(one) for one in value)
    return value


class PlainSpec:
    """The attribute `spec` of an environment: path objects among its options become texts.

    Gymnasium sets it to what `make` was given, and `spec.to_json()` knows no path objects.
    """

    def __get__(self, env: Any, owner: type) -> Any:
        return None if env is None else env.__dict__.get("_spec")

    def __set__(self, env: Any, spec: Any) -> None:
        if spec is not None:
            spec.kwargs = plain_paths(spec.kwargs)
        env.__dict__["_spec"] = spec


def _text(value: str | os.PathLike[str], what: str, kind: str = "a path") -> str:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError(f"{what} must be {kind}, got {value!r}")
    return text
