"""Training commands: their options as a dataclass, and runs that go on where they stopped."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, asdict, field, fields
from pathlib import Path
from typing import Any, Protocol

import gymnasium as gym

from av_envs.arguments import imported, parse
from av_envs.whole_files import write_whole

LAST = "last.pt"  # in the directory of a run: from which it goes on
CHECKPOINT = "checkpoint.pt"  # likewise, of PPO
MISTAKES = (ValueError, TypeError, gym.error.Error)  # of options; argparse's own status, 2


class RunEndedError(Exception):
    """A run that was well begun cannot go on now; the message says all."""


FAULTS = (OSError, FloatingPointError, RunEndedError)  # of the run, which can go on; status 1


def json_object(text: str) -> dict[str, Any]:
    """An argparse type."""
    value = json.loads(text)  # its error is a ValueError, as argparse wants
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"must be a JSON object, got {text}")
    return value


def option(default: Any, words: str | None = None, **argument: Any) -> Any:
    """A field of a dataclass of options with its help and how argparse reads it.

    False is a switch. Without a `type` it is that of the default.
    """
    read = {"action": "store_true"} if default is False else {"type": type(default)}
    return field(default=default, metadata={"help": words, **read, **argument})


def build_parser(options: type, prog: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with one option for every field of a dataclass that `option` made."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for each in fields(options):
        made = {} if each.default_factory is MISSING else {"default": each.default_factory()}
        given = made if each.default is MISSING else {"default": each.default}
        parser.add_argument(f"--{each.name.replace('_', '-')}", **given, **each.metadata)
    return parser


def kept_options(options: Any, of_the_run: Sequence[str]) -> bytes:
    """What a run keeps when it is resumed, as JSON: all options but these."""
    kept = {key: value for key, value in asdict(options).items() if key not in of_the_run}
    return (json.dumps(kept, indent=2, default=str) + "\n").encode()


def can_go_on(directory: Path, options: bytes, resume: bool, last: str) -> bool:
    """Whether there is something that this run goes on from; refuses to mix up two runs.

    options  of `kept_options`
    last     name of the file that the run goes on from
    """
    path = directory / "config.json"
    if not resume:
        if path.exists():
            raise ValueError(f"{directory} holds a run already; choose another --out or --resume")
        return False
    if not path.exists():
        raise ValueError(f"nothing to resume: {path} is missing")
    kept, config = _config_in(path), json.loads(options)
    changed = [key for key in config if kept.get(key) != config[key]]
    if changed:
        raise ValueError(
            f"{path} was made with other {', '.join(changed)}; a run keeps its options"
        )
    if not (directory / last).exists():
        print("nothing was saved before the interruption: starting anew", flush=True)
        return False
    return True


class Resumable(Protocol):
    """A run that keeps in `args.out` what it goes on from."""

    def load(self) -> None: ...


def begin(run: Resumable, args: Any, of_the_run: Sequence[str], last: str) -> bool:
    """Load the last checkpoint with `args.resume`, or keep the options of a new run.

    of_the_run  options that may differ when it goes on, see `kept_options`
    last        name of the file that it goes on from

    Whether it goes on; ValueError as from `can_go_on`.
    """
    options = kept_options(args, of_the_run)
    goes_on = can_go_on(args.out, options, args.resume, last)
    if goes_on:
        run.load()
    else:
        write_whole(args.out / "config.json", options)
    return goes_on


def _config_in(path: Path) -> dict[str, Any]:
    try:
        return json_object(path.read_text(encoding="utf-8"))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise ValueError(f"{path} is no config of a run: {error}") from None


def run_command(
    run: Callable[[Any], None] | str,
    options: type,
    prog: str,
    description: str | None,
    argv: Sequence[str] | None,
    last: str,
) -> int:
    """Parse the options, run, and return the exit status: what goes wrong is one line.

    run      or "module:function", imported when it is clear that more than help is asked for
    options  dataclass of `option`s, with `out`, the directory of the run
    last     name of the file there that the run goes on from
    """
    parser = build_parser(options, prog, description)
    given = options(**vars(parse(parser, argv)))
    try:
        carry_out = imported(run) if isinstance(run, str) else run
        carry_out(given)
    except FAULTS as fault:
        hint = _hint(given.out / last) if isinstance(fault, OSError) else ""  # others say it
        print(f"error: {fault}{hint}", file=sys.stderr)
        return 1
    except MISTAKES as mistake:
        parser.error(str(mistake))
    except KeyboardInterrupt:
        print(f"interrupted{_hint(given.out / last)}", file=sys.stderr)
        return 130
    return 0


def _hint(path: Path) -> str:
    return f"; --resume goes on from {path}" if path.exists() else ""
