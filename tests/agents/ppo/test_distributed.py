"""Several ranks learn what one would, and none waits for one that is gone."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess as Process
from pathlib import Path

import pytest
import torch

from av_envs.agents.ppo.distributed import ALONE, joined_ranks
from tests.agents.ppo import one_rank

ROOT = Path(__file__).resolve().parents[3]
FORKS = multiprocessing.get_context("forkserver")
LONGEST = 120.0  # seconds


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)
def fork_server():
    """Ranks are forked from a process that has imported all they need."""
    FORKS.set_forkserver_preload([one_rank.__name__])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


def start(task: str, out: Path, ranks: range = range(2)) -> tuple[dict[int, Process], int]:
    """These of two ranks, and the port at which they meet."""
    port, started = free_port(), {}
    for rank in ranks:
        variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
        variables |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        started[rank] = FORKS.Process(target=one_rank.forked, args=(task, out, variables))
        started[rank].start()
    return started, port


def ended(process: Process) -> int | None:
    """Exit status; None if it had to be stopped."""
    process.join(LONGEST)
    status = process.exitcode
    process.kill()
    return status


def run(task: str, out: Path) -> None:
    processes, _ = start(task, out)
    assert [ended(process) for process in processes.values()] == [0, 0]
    assert not (out / "log-0").read_text() + (out / "log-1").read_text()


def error_of(out: Path, rank: int) -> str:
    """The last line that a rank has said."""
    return (out / f"log-{rank}").read_text().strip().splitlines()[-1]


def process_after(out: Path, rank: int, update: int) -> int:
    """The process of a rank once it has done that update."""
    limit = time.monotonic() + LONGEST
    while time.monotonic() < limit:
        with suppress(FileNotFoundError, ValueError):  # not yet, or just being written
            pid, number = (out / f"rank-{rank}").read_text().split()
            if int(number) >= update:
                return int(pid)
        time.sleep(0.02)
    raise AssertionError(f"rank {rank} never came so far")


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("exchange")
    run("exchange", out)
    return torch.load(out / "found.pt", weights_only=True)


def test_two_ranks_have_the_gradient_of_one(found):
    alone = one_rank.first_gradient(ALONE)
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


def weights_in(out: Path) -> dict[str, torch.Tensor]:
    """Of a run that is complete."""
    found = torch.load(out / "run" / "checkpoint.pt", weights_only=True)
    assert found["update"] == 20
    return found["policy"]


@pytest.mark.parametrize("killed", [0, 1], ids=str)
def test_a_killed_rank_ends_the_other_which_says_how_to_go_on(tmp_path, killed):
    (tmp_path / "slow").touch()
    processes, _ = start("learn", tmp_path)
    os.kill(process_after(tmp_path, killed, 5), signal.SIGKILL)
    assert ended(processes[1 - killed]) == 1
    assert ended(processes[killed]) == -signal.SIGKILL
    line, path = error_of(tmp_path, 1 - killed), tmp_path / "run" / "checkpoint.pt"
    assert line.startswith("error: another rank has ended or is silent")
    update = torch.load(path, weights_only=True)["update"]
    assert update >= 4
    assert line.endswith(
        f"the last good checkpoint is {path}, after {update} updates; resume goes on from it"
    )
    if killed:
        (tmp_path / "slow").unlink()
        run("resume", tmp_path)
        (tmp_path / "whole").mkdir()
        run("learn", tmp_path / "whole")
        went_on, whole = (weights_in(out) for out in (tmp_path, tmp_path / "whole"))
        assert all(torch.equal(went_on[name], whole[name]) for name in whole)


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0, 1], ids=str)
def test_a_rank_that_does_not_come_up_is_told_with_the_address(tmp_path, missing):
    rank = 1 - missing
    processes, port = start("join", tmp_path, range(rank, rank + 1))
    assert ended(processes[rank]) == 1
    assert error_of(tmp_path, rank).startswith(
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
    command += ["--nproc-per-node", "2", "-m", one_rank.__name__]
    process = subprocess.Popen(
        [*command, "learn", str(tmp_path)], cwd=ROOT, text=True, stderr=subprocess.PIPE
    )
    os.kill(process_after(tmp_path, 1, 5), signal.SIGKILL)
    _, errors = process.communicate(timeout=LONGEST)
    assert process.returncode != 0
    assert "updates; resume goes on from it" in errors
    (tmp_path / "slow").unlink()
    command += ["resume", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=LONGEST)
