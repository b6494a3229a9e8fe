"""Command lines: user errors end in one sentence, not a traceback."""

import argparse
import sys
from collections.abc import Callable

from av_envs.arguments import parse
from av_envs.paths import path_argument

MISTAKE = 2  # exit status of argparse for wrong arguments, and ours


class UserError(Exception):
    """A mistake that the user can correct; the message says which and how."""


def run_command(
    command: Callable[[argparse.Namespace], None],
    parser: argparse.ArgumentParser,
    argv: list[str] | None,
) -> int:
    """Parse, run, and return the exit status."""
    arguments = parse(parser, argv)
    try:
        command(arguments)
    except UserError as mistake:
        print(f"{parser.prog}: {mistake}", file=sys.stderr)
        return MISTAKE
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
