"""How every command reads its words: alike in name, example and completion, however it is called.

A command calls `parse` in place of `parser.parse_args`. `av-envs NAME ...` tells it by
`called_as` under which name it was called and what its help gives as an example.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, NamedTuple

COMPLETING = "_ARGCOMPLETE"  # variable of argcomplete: a shell asks how a line may go on


class _Call(NamedTuple):
    """prog: the words that name the command; example: a whole line."""

    prog: str
    example: str


_call: ContextVar[_Call | None] = ContextVar("call", default=None)


@contextmanager
def called_as(prog: str, example: str) -> Iterator[None]:
    """What is parsed inside goes by this name, and its help ends with this example."""
    token = _call.set(_Call(prog, example))
    try:
        yield
    finally:
        _call.reset(token)


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """The options that a command is given; `sys.argv` if `arguments` is None.

    Where a shell asks for completions, they are printed and the process ends.
    """
    call = _call.get()
    if call is not None:
        parser.prog = call.prog
        parser.epilog = f"example: {call.example}"
    if COMPLETING in os.environ:
        complete(parser)
    return parser.parse_args(arguments)


def imported(path: str) -> Callable[..., Any]:
    """The function that "module:function" names; only now its module is imported."""
    module, _, function = path.partition(":")
    return getattr(import_module(module), function)


def complete(parser: argparse.ArgumentParser) -> None:
    """Print how the line that the shell is asking about may go on, if argcomplete is installed."""
    try:
        import argcomplete  # extra [completion]
    except ModuleNotFoundError:
        return
    argcomplete.autocomplete(parser)
