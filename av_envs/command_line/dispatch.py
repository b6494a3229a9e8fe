"""`av-envs`, or `python -m av_envs`: finds the command that is meant and hands the words over."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import av_envs
from av_envs.arguments import COMPLETING, called_as, imported, parse
from av_envs.command_line.commands import COMMANDS, Command, Group

PROG = "av-envs"
INTERRUPTED = 130  # exit status of shells
COMPLETION = (
    "completion: pip install -e '.[completion]', then in the shell: "
    'eval "$(register-python-argcomplete av-envs)"'
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if COMPLETING in os.environ:
        words = _words_so_far()
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # an agent may lie here; `python -m` does the same
    try:
        return _carry_out(words, PROG, COMMANDS) or 0
    except KeyboardInterrupt:
        print(f"{PROG}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _carry_out(words: list[str], prog: str, table: Mapping[str, Command | Group]) -> int | None:
    found = table.get(words[0]) if words else None
    if found is None:
        return _explain(words, prog, table)
    prog = f"{prog} {words[0]}"
    if COMPLETING in os.environ:  # the command completes what follows its name
        os.environ[COMPLETING] = str(int(os.environ[COMPLETING]) + 1)
    if isinstance(found, Group):
        return _carry_out(words[1:], prog, found.commands)
    with called_as(prog, f"{prog} {found.example}".rstrip()):
        return imported(found.target)([*found.given, *words[1:]])


def _explain(words: list[str], prog: str, table: Mapping[str, Command | Group]) -> int:
    """What there is; an error if the words name something else."""
    width = max(map(len, table))
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Houses that can be seen and heard, tasks in them, and agents.\n\n"
        + "\n".join(f"  {name:<{width}}  {table[name].summary}" for name in table),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f"{prog} COMMAND ...",
        epilog=f"`{prog} COMMAND --help` says more.\n{COMPLETION}",
    )
    parser.add_argument("command", choices=list(table), metavar="COMMAND", help="one of these")
    parser.add_argument("--version", action="version", version=f"av-envs {av_envs.__version__}")
    parse(parser, words[:1] or ["--help"])
    raise AssertionError(f"{words[0]!r} is in no table, but was accepted")


def _words_so_far() -> list[str]:
    """Of the line that the shell asks about, the whole words after the program's name."""
    import argcomplete  # the shell asks by means of it

    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    *_, words, _ = argcomplete.lexers.split_line(line, point)
    return list(words[int(os.environ[COMPLETING]) :])
