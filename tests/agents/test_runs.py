"""Options of commands, and runs that are not mixed up."""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from av_envs.agents.runs import (
    build_parser,
    can_go_on,
    json_object,
    kept_options,
    option,
    run_command,
)


@dataclass(frozen=True, kw_only=True)
class Options:
    out: Path = field(metadata={"help": "where", "type": Path, "required": True})
    steps: int = option(3, "how many")
    rate_of_learning: float = option(0.5)
    size: str = option("small", choices=("small", "large"))
    reward: str | None = option(None, "what for", type=str)
    extra: dict = field(default_factory=dict, metadata={"type": json_object})
    resume: bool = option(False, "go on")


def parsed(*words: str) -> Options:
    return Options(**vars(build_parser(Options, "prog", "What it does.").parse_args(words)))


def test_every_field_is_an_option():
    assert parsed("--out", "a") == Options(out=Path("a"))
    given = parsed(
        "--out", "a", "--steps", "4", "--rate-of-learning", "1e-3", "--size", "large",
        "--reward", "x", "--extra", '{"a": 1}', "--resume",
    )  # fmt: skip
    assert given == Options(
        out=Path("a"), steps=4, rate_of_learning=1e-3, size="large", reward="x", extra={"a": 1},
        resume=True,
    )  # fmt: skip
    assert "What it does." in build_parser(Options, "prog", "What it does.").format_help()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "required: --out"),
        (["--steps", "many"], "invalid int value: 'many'"),
        (["--size", "huge"], "invalid choice: 'huge'"),
        (["--extra", "[1]"], "must be a JSON object, got [1]"),
        (["--extra", "{"], "--extra"),
        (["--colour", "red"], "--colour"),
    ],
    ids=str,
)
def test_a_mistake_is_named(words, says, capsys):
    with pytest.raises(SystemExit):
        parsed(*words, *(["--out", "a"] if words else []))
    assert says in capsys.readouterr().err


def test_a_run_keeps_all_but_what_is_of_the_moment():
    kept = json.loads(kept_options(Options(out=Path("a"), reward="x"), ("out", "resume")))
    assert kept == {
        "steps": 3,
        "rate_of_learning": 0.5,
        "size": "small",
        "reward": "x",
        "extra": {},
    }


@pytest.fixture
def options() -> bytes:
    return kept_options(Options(out=Path("a")), ("out", "resume"))


def goes_on(folder: Path, options: bytes, resume: bool = True) -> bool:
    return can_go_on(folder, options, resume, "last.pt")


def test_a_run_goes_on_where_something_was_saved(tmp_path, options, capsys):
    assert not goes_on(tmp_path, options, resume=False)
    (tmp_path / "config.json").write_bytes(options)
    assert not goes_on(tmp_path, options)
    assert "starting anew" in capsys.readouterr().out
    (tmp_path / "last.pt").touch()
    assert goes_on(tmp_path, options)


def test_runs_are_not_mixed_up(tmp_path, options):
    with pytest.raises(ValueError, match=r"nothing to resume: .*config\.json is missing"):
        goes_on(tmp_path, options)
    (tmp_path / "config.json").write_bytes(options)
    with pytest.raises(ValueError, match="holds a run already; choose another --out or --resume"):
        goes_on(tmp_path, options, resume=False)
    other = kept_options(Options(out=Path("a"), steps=9, reward="x"), ("out", "resume"))
    with pytest.raises(ValueError, match="was made with other steps, reward; a run keeps its"):
        goes_on(tmp_path, other)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\xff"], ids=["empty", "cut", "list", "latin"])
def test_a_damaged_config_is_named(tmp_path, options, text):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"config\.json is no config of a run: "):
        goes_on(tmp_path, options)


def test_an_argument_that_is_no_object():
    with pytest.raises(argparse.ArgumentTypeError, match="must be a JSON object"):
        json_object("3")


@dataclass(frozen=True, kw_only=True)
class OnlyOut:
    out: Path = field(metadata={"type": Path, "required": True})


@pytest.mark.parametrize(
    ("raised", "saved", "status", "said"),
    [
        (OSError("disk full"), True, 1, "error: disk full; --resume goes on from {last}"),
        (OSError("disk full"), False, 1, "error: disk full"),
        (FloatingPointError("loss is nan"), True, 1, "error: loss is nan"),
        (KeyboardInterrupt(), True, 130, "interrupted; --resume goes on from {last}"),
        (KeyboardInterrupt(), False, 130, "interrupted"),
    ],
    ids=["fault", "fault at once", "other fault", "interrupted", "interrupted at once"],
)
def test_what_ends_a_run_is_one_line(raised, saved, status, said, tmp_path, capsys):
    last = tmp_path / "last.pt"
    if saved:
        last.touch()

    def run(options: OnlyOut) -> None:
        raise raised

    found = run_command(run, OnlyOut, "train", None, ["--out", str(tmp_path)], "last.pt")
    assert found == status
    assert capsys.readouterr().err == said.format(last=last) + "\n"


def test_a_mistake_is_that_of_the_user(tmp_path, capsys):
    def run(options: OnlyOut) -> None:
        raise ValueError("no such house")

    with pytest.raises(SystemExit) as ended:
        run_command(run, OnlyOut, "train", None, ["--out", str(tmp_path)], "last.pt")
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("train: error: no such house\n")
