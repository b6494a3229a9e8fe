"""Tutorials, followed to the letter in an empty folder."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from av_envs.benchmarks.suites.suite import SUITES
from av_envs.command_line.dispatch import main

TUTORIALS = Path(__file__).resolve().parent.parent / "docs" / "tutorials"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def follow(tmp_path, monkeypatch):
    """A function that does what a tutorial says, in a folder that it returns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = dict(SUITES)

    def done(name: str) -> Path:
        for language, file, text in BLOCK.findall((TUTORIALS / name).read_text(encoding="utf-8")):
            if file:
                Path(file).write_text(text, encoding="utf-8")
            elif language == "sh":
                for line in text.splitlines():
                    command, *arguments = shlex.split(line)
                    assert command == "av-envs"
                    assert main(arguments) == 0
            else:
                exec(compile(text, name, "exec"), {"__name__": "tutorial"})
        return tmp_path

    yield done
    SUITES.clear()
    SUITES.update(known)
    sys.modules.pop("my_agents", None)


def test_from_a_mesh_and_sounds_to_a_ranked_agent(follow):
    pytest.importorskip("trimesh", reason="the extra [mesh]")
    folder = follow("mesh_to_rank.md")
    rows = json.loads((folder / "results" / "leaderboard.json").read_text(encoding="utf-8"))["rows"]
    assert {row["agent"] for row in rows} == {"TowardTheLouderEar", "Random", "DoA"}
    assert rows[0]["agent"] == "DoA"  # who knows where to go wins most
    assert (folder / "house.png").exists()
    assert "my-flat-v1" in (folder / "results" / "leaderboard.html").read_text(encoding="utf-8")
