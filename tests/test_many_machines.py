"""The tutorial about many machines, followed to the letter with two local workers and ranks."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tutorials" / "many_machines.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SCRIPT, RANKS, SUITES = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def done(folder: Path, words: list[str], **more: str) -> str:
    """What a process told that ended well."""
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_two_workers_of_dask_trace_a_house(tmp_path):
    pytest.importorskip("distributed", reason="the extra [cluster]")
    _, name, text = SCRIPT
    (tmp_path / name).write_text(text, encoding="utf-8")
    cache = {"AV_ENVS_CACHE": str(tmp_path / "cache")}
    told = done(tmp_path, [name], **cache)
    assert re.search(r"[1-9]\d* sources are still to be baked", told)
    (counts,) = re.findall(r"tasks by worker: \[(\d+), (\d+)\]", told)
    assert min(map(int, counts)) >= 1
    assert re.search(
        r"^0 sources are still to be baked", done(tmp_path, [name], **cache), re.MULTILINE
    )


@pytest.mark.slow
def test_two_ranks_train_a_team(tmp_path):
    pytest.importorskip("torch", reason="the extra [agents]")
    words = shlex.split(RANKS[2])
    assert words[0] == "python"
    done(tmp_path, words[1:], OMP_NUM_THREADS="1")
    assert (tmp_path / "runs" / "two-ranks" / "best.safetensors").exists()


@pytest.mark.slow
def test_results_of_several_commands_are_one_board(tmp_path):
    for line in SUITES[2].splitlines():
        command, *words = shlex.split(line)
        assert command == "av-envs"
        done(tmp_path, ["-m", "av_envs", *words])
    board = json.loads((tmp_path / "results" / "leaderboard.json").read_text(encoding="utf-8"))
    assert {"Random", "DoA"} <= {row["agent"] for row in board["rows"]}
