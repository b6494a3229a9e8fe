"""The command that trains separators: what it leaves, how it goes on, and what it refuses."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import torch

from av_envs.agents import fitting
from av_envs.agents.separation import pretrain as command
from av_envs.agents.separation.agent import load_separator
from av_envs.agents.separation.networks.tcn import TCNConfig
from av_envs.agents.separation.pretrain import main
from av_envs.agents.separation.separator import SIZES, Separator

BRIEF = ["--pairs", "12", "--batch-size", "4", "--houses", "1", "--val-houses", "1"]
BRIEF += ["--val-episodes", "1", "--val-every", "8", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def small_and_often_saved(monkeypatch):
    monkeypatch.setattr(fitting, "SAVED_EVERY", 1)
    monkeypatch.setattr(command, "VAL_SECONDS", (3,))
    monkeypatch.setitem(SIZES, "small", {"tcn": TCNConfig(8, 4, 1, 1)})


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, *more])


def rows_of(folder) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_by(folder) -> tuple:
    """What a run has learnt, as tensors by name, and what else it wrote, byte for byte."""
    state = torch.load(folder / "last.pt", weights_only=True)
    written = [(folder / name).read_bytes() for name in ("curve.csv", "best.safetensors")]
    moments = {k: v["exp_avg"] for k, v in state["optimiser"]["state"].items()}
    return {**state["network"], **moments}, (state["updates"], state["best"], *written)


def assert_same(one: tuple, other: tuple) -> None:
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(one[0][name], other[0][name]) for name in one[0])


def complaint(capsys, folder, *more: str) -> str:
    with pytest.raises(SystemExit) as stop:
        run(folder, *more)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        small_and_often_saved.__wrapped__(patch)
        folder = tmp_path_factory.mktemp("run")
        assert run(folder) == 0
    return folder


def test_a_run_leaves_a_separator_and_its_curve(undisturbed):
    rows = rows_of(undisturbed)
    assert [row["pairs"] for row in rows] == ["8", "12"]
    measures = {"", "_over_mixture", "_wrong_class"}
    columns = {start + measure for start in ("near", "between") for measure in measures}
    assert set(rows[0]) == {"pairs", *columns}
    separator, header = load_separator(undisturbed / "best.safetensors")
    assert header.made["options"]["pairs"] == 12
    best = max(rows, key=lambda row: float(row["near"]) + float(row["between"]))
    assert header.made["val"] == {key: float(value) for key, value in best.items()}
    assert len(header.classes) == separator.config.n_classes


@pytest.mark.parametrize(
    ("name", "moment", "how"),
    [
        ("last.pt", 1, "before"),  # nothing to go on from
        ("last.pt", 1, "after"),
        ("best.safetensors", 1, "after"),  # validated, but not saved
    ],
)
def test_a_killed_run_ends_as_one_that_was_not(
    name, moment, how, undisturbed, tmp_path, monkeypatch
):
    replace, times = os.replace, []

    def replacing(draft, path):
        times.extend([path] if str(path).endswith(name) else [])
        is_now = str(path).endswith(name) and len(times) == moment
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
    assert_same(left_by(tmp_path / "run"), left_by(undisturbed))


@pytest.mark.slow
def test_kill_9(undisturbed, tmp_path):
    """The same with a process and a real signal."""
    program = (
        "from av_envs.agents import fitting\n"
        "from av_envs.agents.separation import pretrain as command\n"
        "from av_envs.agents.separation.networks.tcn import TCNConfig\n"
        "from av_envs.agents.separation.separator import SIZES\n"
        "import sys, torch\n"
        "torch.set_num_threads(1)\n"
        "fitting.SAVED_EVERY, command.VAL_SECONDS = 1, (3,)\n"
        "SIZES['small'] = {'tcn': TCNConfig(8, 4, 1, 1)}\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    folder = tmp_path / "run"
    words = [sys.executable, "-c", program, "--out", str(folder), *BRIEF]
    with subprocess.Popen(words) as process:
        while not (folder / "last.pt").exists() and process.poll() is None:
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert subprocess.run([*words, "--resume"], check=False).returncode == 0
    assert_same(left_by(folder), left_by(undisturbed))


def test_a_finished_run_stays_as_it_is(undisturbed):
    before = left_by(undisturbed)
    assert run(undisturbed, "--resume") == 0
    assert_same(left_by(undisturbed), before)


@pytest.mark.parametrize("spoilt", ["loss", "gradient"])
def test_a_loss_that_is_no_number_names_the_last_checkpoint(spoilt, tmp_path, monkeypatch, capsys):
    loss, asked = Separator.loss, []

    def nan(self, *given):
        asked.append(1)
        found = loss(self, *given)
        if len(asked) < 3:
            return found
        # the root of nothing has a value, but no slope
        return found * float("nan") if spoilt == "loss" else found + (0 * found).sqrt()

    monkeypatch.setattr(Separator, "loss", nan)
    assert run(tmp_path / "run") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"the {spoilt} of update 2 is nan" in said
    assert f"the last good checkpoint is {tmp_path}/run/last.pt, after 2 updates" in said
    kept = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert kept["updates"] == 2
    assert all(value.isfinite().all() for value in kept["network"].values())


def test_a_loss_that_is_no_number_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Separator, "loss", lambda *given: torch.tensor(float("inf")))
    assert run(tmp_path / "run") == 1
    assert "update 0 is inf; nothing was saved before" in capsys.readouterr().err


@pytest.mark.parametrize("length", [0, 200, -100])
def test_a_damaged_checkpoint_is_named(length, undisturbed, tmp_path, capsys):
    folder = shutil.copytree(undisturbed, tmp_path / "run")
    whole = (folder / "last.pt").read_bytes()
    (folder / "last.pt").write_bytes(whole[:length])
    assert f"{folder}/last.pt: is no checkpoint" in complaint(capsys, folder, "--resume")


def test_a_checkpoint_of_another_network_is_named(undisturbed, tmp_path, capsys):
    folder = shutil.copytree(undisturbed, tmp_path / "run")
    state = torch.load(folder / "last.pt", weights_only=True)
    state["network"].pop("extractor.read.bias")
    torch.save(state, folder / "last.pt")
    said = complaint(capsys, folder, "--resume")
    assert "last.pt: is no checkpoint of this run" in said
    assert "extractor.read.bias" in said


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--resume"], "nothing to resume"),
        (["--size", "large"], "invalid choice: 'large'"),
        (["--loss", "l2"], "invalid choice: 'l2'"),
        (["--sound", "x", "--lr", "3"], "unrecognized arguments: --lr"),
        (["--sounds", "/no/where"], "unknown sounds '/no/where'"),
        (["--houses", "99999999"], "houses must be a whole number in 1.."),
        (["--threads", "-1"], "argument --threads"),
        (["--pairs", "0"], "must be at least 1"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, tmp_path, capsys):
    assert says in complaint(capsys, tmp_path / "run", *more)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_mixed_up_with_another(undisturbed, capsys):
    assert "holds a run already" in complaint(capsys, undisturbed)
    assert "other pairs" in complaint(capsys, undisturbed, "--resume", "--pairs", "16")
    assert "other seed" in complaint(capsys, undisturbed, "--resume", "--seed", "4")


def test_a_folder_of_recordings(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("drum", "flute"):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for k in range(3):
            samples = 0.1 * rng.standard_normal(40_000)
            soundfile.write(tmp_path / "sounds" / name / f"{k}.wav", samples, 16_000)
    assert run(tmp_path / "run", "--sounds", str(tmp_path / "sounds"), "--pairs", "4") == 0
    separator, header = load_separator(tmp_path / "run" / "best.safetensors")
    assert header.classes == ("drum", "flute")
    assert separator.config.n_classes == 2


def test_real_recordings(real_data, tmp_path):
    for name in ("speech", "env"):
        found = (real_data / name).rglob("*")
        files = sorted(path for path in found if path.suffix in (".flac", ".ogg", ".wav"))
        assert len(files) >= 3
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for path in files[:3]:
            shutil.copy(path, tmp_path / "sounds" / name)
    assert run(tmp_path / "run", "--sounds", str(tmp_path / "sounds"), "--pairs", "4") == 0
    assert load_separator(tmp_path / "run" / "best.safetensors")[1].classes == ("env", "speech")


def test_one_class_is_not_enough(tmp_path, capsys):
    (tmp_path / "sounds" / "drum").mkdir(parents=True)
    for k in range(3):
        noise = 0.1 * np.random.default_rng(k).standard_normal(32_000)
        soundfile.write(tmp_path / "sounds" / "drum" / f"{k}.wav", noise, 16_000)
    said = complaint(capsys, tmp_path / "run", "--sounds", str(tmp_path / "sounds"))
    assert "needs 2 classes or more" in said
