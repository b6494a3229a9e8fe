"""The command that trains: what it leaves, how it goes on, and what it refuses."""

import csv
import os
import shutil

import pytest
import torch

from av_envs.agents.rir_measure.set_predictor import material
from av_envs.agents.rir_measure.set_predictor import train as command
from av_envs.agents.rir_measure.set_predictor.network import SetNetwork
from av_envs.agents.rir_measure.set_predictor.predictor import load_set_network
from av_envs.agents.rir_measure.set_predictor.train import main

STEPS = (1, 3)
BRIEF = ["--updates", "3", "--pairs", "4", "--dwellings", "1", "--queries", "6"]
BRIEF += ["--val-flats", "1", "--val-houses", "1", "--val-every", "2", "--threads", "1"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def short_walks(monkeypatch):
    monkeypatch.setattr(command, "SAVED_EVERY", 1)
    monkeypatch.setattr(command, "VAL_QUERIES", 3)
    for module in (command, material):
        monkeypatch.setattr(module, "STEPS", STEPS)


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, *more])


def left_by(folder) -> tuple:
    """What a run has learnt, as tensors by name, and what else it wrote, byte for byte."""
    state = torch.load(folder / "last.pt", weights_only=True)
    written = [(folder / name).read_bytes() for name in ("curve.csv", "best.safetensors")]
    return state["network"], (state["updates"], state["best"], *written)


def complaint(capsys, folder, *more: str) -> str:
    with pytest.raises(SystemExit) as stop:
        run(folder, *more)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        short_walks.__wrapped__(patch)
        folder = tmp_path_factory.mktemp("run")
        assert run(folder) == 0
    return folder


def test_a_run_leaves_a_network_and_its_curve(undisturbed):
    with (undisturbed / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["updates"] for row in rows] == ["2", "3"]
    assert set(rows[0]) == {"updates", "flat_1", "flat_3", "house_1", "house_3"}
    assert all(0 < float(value) < 20 for row in rows for value in row.values())
    _, header = load_set_network(undisturbed / "best.safetensors")
    assert header.made["options"]["updates"] == 3


@pytest.mark.parametrize(
    ("name", "how"),
    [("last.pt", "before"), ("last.pt", "after"), ("best.safetensors", "after")],
)
def test_a_killed_run_ends_as_one_that_was_not(name, how, undisturbed, tmp_path, monkeypatch):
    replace, times = os.replace, []

    def replacing(draft, path):
        times.extend([path] if str(path).endswith(name) else [])
        is_now = str(path).endswith(name) and len(times) == 1
        if is_now and how == "before":
            raise Killed
        replace(draft, path)
        if is_now:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    assert run(tmp_path / "run", "--resume") == 0
    one, other = left_by(tmp_path / "run"), left_by(undisturbed)
    assert one[1] == other[1]
    assert all(torch.equal(one[0][key], other[0][key]) for key in other[0])


def test_a_loss_that_is_no_number_is_named(tmp_path, monkeypatch, capsys):
    said = SetNetwork.forward

    def nan(self, **asked):
        found = said(self, **asked)
        return found._replace(direct=found.direct * float("nan")) if self.training else found

    monkeypatch.setattr(SetNetwork, "forward", nan)
    assert run(tmp_path / "run") == 1
    assert "the loss of update 0 is nan; nothing was saved" in capsys.readouterr().err


@pytest.mark.parametrize("length", [0, 200, -100])
def test_a_damaged_checkpoint_is_named(length, undisturbed, tmp_path, capsys):
    folder = shutil.copytree(undisturbed, tmp_path / "run")
    whole = (folder / "last.pt").read_bytes()
    (folder / "last.pt").write_bytes(whole[:length])
    assert f"{folder}/last.pt: is no checkpoint" in complaint(capsys, folder, "--resume")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--resume"], "nothing to resume"),
        (["--updates", "0"], "must be at least 1"),
        (["--threads", "-1"], "argument --threads"),
        (["--lr", "3"], "unrecognized arguments: --lr"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, tmp_path, capsys):
    assert says in complaint(capsys, tmp_path / "run", *more)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_mixed_up_with_another(undisturbed, capsys):
    assert "holds a run already" in complaint(capsys, undisturbed)
    assert "other updates" in complaint(capsys, undisturbed, "--resume", "--updates", "4")
