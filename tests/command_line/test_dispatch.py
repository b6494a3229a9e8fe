"""One command for everything: it finds each command, and each keeps its own options."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import av_envs
from av_envs import arguments
from av_envs.command_line import dispatch
from av_envs.command_line.commands import COMMANDS, Command, Group
from av_envs.command_line.dispatch import main

ROOT = Path(__file__).resolve().parents[2]


def lines(table=COMMANDS, before=()) -> dict[str, Command]:
    """{"bench run": command, ...} of all that can be carried out."""
    found = {}
    for name, one in table.items():
        if isinstance(one, Group):
            found |= lines(one.commands, (*before, name))
        else:
            found[" ".join((*before, name))] = one
    return found


LINES = lines()


class ParsedError(Exception):
    """Raised in place of the work, with what was parsed."""


@pytest.fixture
def parse_only(monkeypatch):
    """Commands read their words, and do nothing."""
    parse = arguments.argparse.ArgumentParser.parse_args

    def stop(parser, words=None, namespace=None):
        raise ParsedError(parser.prog, parse(parser, words, namespace))

    monkeypatch.setattr(arguments.argparse.ArgumentParser, "parse_args", stop)


@pytest.mark.parametrize("line", LINES)
def test_every_example_is_understood(line, parse_only):
    words = [*line.split(), *LINES[line].example.split()]
    with pytest.raises(ParsedError) as caught:
        main(words)
    assert caught.value.args[0] == f"av-envs {line}"


@pytest.mark.parametrize("line", LINES)
def test_every_help_has_the_name_and_an_example(line, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*line.split(), "--help"])
    assert caught.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith(f"usage: av-envs {line} ")
    assert f"example: av-envs {line} {LINES[line].example}".strip() in told


@pytest.mark.parametrize("line", LINES)
def test_every_target_exists(line):
    module, _, function = LINES[line].target.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("words", [[], ["--help"], ["bench"], ["train", "--help"]], ids=" ".join)
def test_help_lists_the_commands(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    told = capsys.readouterr().out
    table = COMMANDS[words[0]].commands if words and words[0] in COMMANDS else COMMANDS
    assert all(f"  {name} " in told for name in table)
    assert "COMMAND --help" in told


@pytest.mark.parametrize("words", [["flim"], ["bench", "runn"]], ids=" ".join)
def test_a_misspelt_command_is_refused_with_the_choices(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert repr(words[-1]) in told
    assert "'run'" in told or "'film'" in told


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"av-envs {av_envs.__version__}\n"


def test_called_by_itself_a_command_keeps_its_own_name(capsys):
    with pytest.raises(SystemExit):
        import_module("av_envs.worlds.bake").main(["--help"])
    told = capsys.readouterr().out
    assert told.startswith("usage: python -m av_envs.worlds.bake ")
    assert "example" not in told


def test_the_status_of_a_command_is_handed_on(monkeypatch):
    table = {"fail": Command("os:strerror", "", ""), "work": Command("os:path.x", "", "")}
    monkeypatch.setattr(dispatch, "COMMANDS", table)
    monkeypatch.setattr(os, "strerror", lambda words: 7)
    assert main(["fail"]) == 7


def test_an_interrupted_command_says_so(monkeypatch, capsys):
    def interrupt(words):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "COMMANDS", {"wait": Command("os:strerror", "", "")})
    monkeypatch.setattr(os, "strerror", interrupt)
    assert main(["wait"]) == 130
    assert capsys.readouterr().err == "av-envs: interrupted\n"


HEAVY = {"scipy.signal", "numba", "torch"}  # seconds to import, for what computes


@pytest.mark.parametrize("line", ["", *COMMANDS, *LINES])
def test_no_help_imports_what_computes(line):
    code = (
        "import sys\nfrom av_envs.command_line.dispatch import main\n"
        f"try:\n    main([*{line.split()}, '--help'])\nexcept SystemExit:\n    pass\n"
        f"print({HEAVY} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "set()", run.stderr


CALLED_ALONE = [
    *(f"benchmarks.{name}" for name in ("run", "report", "verify", "compare", "demo", "speed")),
    *("benchmarks.board.film", "benchmarks.keyboard.command", "benchmarks.engines"),
    *("worlds.bake", "worlds.inspect_mesh", "soundspaces.export"),
]


def test_no_help_of_a_module_imports_what_computes():
    """`python -m av_envs.NAME --help`."""
    code = (
        "import runpy, sys\nsys.argv = ['', '--help']\n"
        f"for name in {CALLED_ALONE}:\n"
        "    try:\n        runpy.run_module(f'av_envs.{name}', run_name='__main__')\n"
        "    except SystemExit as done:\n"
        f"        print('ended', name, done.code, {HEAVY} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    ends = [line for line in run.stdout.splitlines() if line.startswith("ended ")]
    assert ends == [f"ended {name} 0 set()" for name in CALLED_ALONE], run.stderr


def test_help_is_quick_to_come():
    """Nothing that computes is imported for it."""
    code = (
        "import sys\nfrom av_envs.command_line.dispatch import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print({'numba', 'scipy', 'torch', 'av_envs.scene'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "set()"


def test_agents_are_found_where_the_command_is_called(tmp_path):
    """As with `python -m`: the script lies elsewhere, but the user's module lies here."""
    script = Path(sys.executable).with_name("av-envs")
    if not script.exists():
        pytest.skip("the command is not installed beside this Python")
    (tmp_path / "my_agents.py").write_text("")
    code = "import runpy, sys; sys.argv = ['av-envs', '--version']; sys.path.pop(0)\n"
    code += f"try:\n    runpy.run_path({str(script)!r}, run_name='__main__')\n"
    code += "except SystemExit:\n    pass\nimport my_agents"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_every_command_is_on_its_page():
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert [line for line in LINES if line.split()[-1] not in page] == []
    for name in COMMANDS:
        assert f"`{name}" in page
