"""The command that trains Hnet: what it leaves, how it goes on, and what it refuses."""

import csv
import os

import numpy as np
import pytest
import torch

from av_envs.agents.localization.hnet import hnet_scores, main
from av_envs.agents.localization.hungarian import load_hnet
from av_envs.agents.localization.hungarian_data import draw_matrices

BRIEF = ["--share", "0.002", "--epochs", "3", "--val-every", "2", "--threads", "1", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, *more])


def left_by(folder) -> tuple[dict, list]:
    state = torch.load(folder / "last.pt", weights_only=True)
    moments = {k: v["exp_avg"] for k, v in state["optimiser"]["state"].items()}
    written = [(folder / name).read_bytes() for name in ("curve.csv", "best.safetensors")]
    return {**state["network"], **moments}, [state["updates"], state["best"], *written]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert run(folder) == 0
    return folder


def test_a_run_leaves_a_network_and_its_curve(undisturbed):
    with (undisturbed / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epochs"]) for row in rows] == [2, 3]
    assert set(rows[0]) == {"epochs", "loss", "f1", "exact", "exact_0", "exact_1", "exact_2"}
    assert load_hnet(undisturbed / "best.safetensors").config.tracks == 2


@pytest.mark.parametrize("moment", [1, 2])
def test_a_killed_run_ends_as_one_that_was_not(moment, undisturbed, tmp_path, monkeypatch):
    replace, times = os.replace, []

    def replacing(draft, path):
        replace(draft, path)
        times.extend([path] if str(path).endswith("last.pt") else [])
        if len(times) == moment:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    assert run(tmp_path / "run", "--resume") == 0
    (tensors, rest), (known, known_rest) = left_by(tmp_path / "run"), left_by(undisturbed)
    assert rest == known_rest
    assert all(torch.equal(tensors[name], known[name]) for name in known)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--resume"], "nothing to resume"),
        (["--share", "1.5"], "--share must lie above 0 and up to 1, got 1.5"),
        (["--share", "1e-4"], "a batch of 256 is more than the"),
        (["--tracks", "5"], "invalid choice: 5"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "run", *more)
    assert stop.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_short_run_learns_to_assign(tmp_path):
    """A tenth of the samples, as measured with the published code: F1 above 0.85."""
    more = ["--share", "0.1", "--epochs", "20", "--val-every", "20"]
    assert main(["--out", str(tmp_path / "run"), *more, "--threads", "1"]) == 0
    hnet = load_hnet(tmp_path / "run" / "best.safetensors")
    unseen = draw_matrices(np.random.default_rng(99), 2, 0.02)
    assert hnet_scores(hnet, unseen, np.ones((2, 2)))["f1"] > 0.85
