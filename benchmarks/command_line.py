"""Command lines: user errors end in one sentence, not a traceback."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from av_envs.arguments import imported, parse
from av_envs.paths import path_argument

MISTAKE = 2  # exit status of argparse for wrong arguments, and ours


class UserError(Exception):
    """A mistake that the user can correct; the message says which and how.

    status  with which the command ends
    """

    def __init__(self, message: str, status: int = MISTAKE):
        super().__init__(message)
        self.status = status


def json_object(text: str, option: str) -> dict[str, Any]:
    """What an option such as "--agent-kwargs" says; UserError if it is no JSON object."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise UserError(f"{option} is not JSON ({error}): {text}") from None
    if not isinstance(given, dict):
        raise UserError(f"{option} must be a JSON object, got {text}")
    return given


def run_command(
    command: Callable[[argparse.Namespace], None] | str,
    parser: argparse.ArgumentParser,
    argv: list[str] | None,
) -> int:
    """Parse, run, and return the exit status.

    command  or "module:function", imported when it is clear that more than help is asked for
    """
    arguments = parse(parser, argv)
    try:
        carry_out = imported(command) if isinstance(command, str) else command
        carry_out(arguments)
    except UserError as mistake:
        print(f"{parser.prog}: {mistake}", file=sys.stderr)
        return mistake.status
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; finished result files are kept", file=sys.stderr)
        return 130
    return 0


def add_suite_files(parser: argparse.ArgumentParser) -> None:
    """Suites that are no published ones, for commands that read results."""
    parser.add_argument(
        "--suite",
        type=path_argument,
        nargs="+",
        default=[],
        metavar="FILE",
        help="suites that were given as files when the results were made",
    )
