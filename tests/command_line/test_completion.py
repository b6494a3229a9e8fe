"""A shell that asks how a line may go on gets commands, options and choices."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("argcomplete", reason="of the extra [completion]")

ROOT = Path(__file__).resolve().parents[2]
CODE = "import sys\nfrom av_envs.command_line.dispatch import main\nsys.exit(main([]))"


def completions(line: str, answers: Path) -> set[str]:
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-c", CODE]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **asked}, check=True)
    return {one.strip() for one in answers.read_text().split("\n")}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("av-envs ba", {"bake"}),
        ("av-envs bench r", {"report", "run"}),
        ("av-envs cache clear --dry", {"--dry-run"}),
        ("av-envs list en", {"environments"}),
        ("av-envs list agents --he", {"--help"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_completions(line, answer, tmp_path):
    assert completions(line, tmp_path / "answers") == answer
