"""Several ranks learn what one would, and none waits for one that is gone."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from av_envs.agents.ppo.distributed import ALONE, joined_ranks
from tests.agents.ppo.one_rank import first_gradient

ROOT = Path(__file__).resolve().parents[3]
MODULE = "tests.agents.ppo.one_rank"
LONGEST = 120  # seconds


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(task: str, out: Path, ranks: range = range(2)) -> tuple[list[subprocess.Popen], int]:
    """These of two ranks, and the port at which they meet."""
    port = free_port()
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    started = []
    for rank in ranks:
        numbers = {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", MODULE, task, str(out)],
                cwd=ROOT, env={**os.environ, **meeting, **numbers}, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
    return started, port


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """Exit status and error output."""
    try:
        _, errors = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    return process.returncode, errors


def run(task: str, out: Path) -> None:
    processes, _ = start(task, out)
    assert [ended(process) for process in processes] == [(0, ""), (0, "")]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("exchange")
    run("exchange", out)
    return torch.load(out / "found.pt", weights_only=True)


def test_two_ranks_have_the_gradient_of_one(found):
    alone = first_gradient(ALONE)
    assert alone.abs().max() > 0.05
    torch.testing.assert_close(found["gradient"], alone, rtol=0, atol=1e-5)


def test_all_have_the_weights_of_the_first(found):
    assert found["numbers"] == [0, 1]
    assert all(torch.equal(weights, torch.ones(1, 2)) for weights in found["weights"])


def test_a_slow_rank_is_cut_short(found):
    """Not before a quarter of the rollout, and only if asked for."""
    assert all(first == 20 and 5 <= second < 20 for first, second in found["short"])
    assert found["whole"] == [[20, 20]] * 3


def test_alone_nothing_is_exchanged(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_ranks() as ranks:
        assert (ranks.rank, ranks.count, ranks.is_first) == (0, 1, True)
        tensor = torch.ones(2)
        ranks.add_up([tensor])
        assert tensor.tolist() == [1, 1]
        assert ranks.gather("a") == ["a"]
        assert ranks.share_finished(0) == 0


@pytest.mark.parametrize("killed", [0, 1], ids=str)
def test_a_killed_rank_ends_the_other_which_says_how_to_go_on(tmp_path, killed):
    (tmp_path / "slow").touch()
    processes, _ = start("learn", tmp_path)
    while processes[killed].stdout.readline() != "update 5\n":
        assert processes[killed].poll() is None
    processes[killed].send_signal(signal.SIGKILL)
    status, errors = ended(processes[1 - killed])
    assert ended(processes[killed])[0] == -signal.SIGKILL
    assert status == 1
    *_, line = errors.strip().splitlines()
    path = tmp_path / "run" / "checkpoint.pt"
    assert line.startswith("error: another rank has ended or is silent")
    assert line.endswith(
        f"the last good checkpoint is {path}, after 4 updates; resume goes on from it"
    )
    if killed:
        (tmp_path / "slow").unlink()
        run("resume", tmp_path)
        assert torch.load(path, weights_only=True)["update"] == 20


def test_a_rank_that_does_not_come_up_is_told_with_the_address(tmp_path):
    for missing in (0, 1):
        (process,), port = start("join", tmp_path, range(1 - missing, 2 - missing))
        status, errors = ended(process)
        assert status == 1
        *_, line = errors.strip().splitlines()
        rank = 1 - missing
        assert line.startswith(
            f"error: rank {rank} of 2 found not all ranks at 127.0.0.1:{port} within 2 s; "
        )


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is set but RANK, LOCAL_RANK, MASTER_ADDR, MASTER_PORT"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number, got 'two'"),
        ({"RANK": "2"}, r"RANK must lie in 0\.\.1, got 2"),
    ],
    ids=["missing", "word", "number"],
)
def test_variables_that_cannot_be_are_named(monkeypatch, variables, words):
    good = {"RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    given = variables if words.startswith("WORLD_SIZE is") else {**good, "WORLD_SIZE": "2"}
    for name in good:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**given, **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words), joined_ranks():
        pass


def test_another_backend_is_refused():
    with pytest.raises(ValueError, match="backend 'mpi' does not exist; choose from gloo, nccl"):
        joined_ranks("mpi").__enter__()


@pytest.mark.slow
def test_torchrun_ends_when_a_rank_is_killed(tmp_path):
    """And the same command with resume goes on."""
    (tmp_path / "slow").touch()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", MODULE]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, "learn", str(tmp_path)], cwd=ROOT, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for line in process.stdout:
        if line == "update 5\n":
            break
    listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
    workers = [int(pid) for pid in listed.stdout.split()]
    os.kill(workers[-1], signal.SIGKILL)
    status, errors = ended(process)
    assert status != 0
    assert "after 4 updates; resume goes on from it" in errors
    (tmp_path / "slow").unlink()
    subprocess.run(
        [*command, "resume", str(tmp_path)], cwd=ROOT, env=env, check=True, capture_output=True,
        timeout=LONGEST,
    )  # fmt: skip
