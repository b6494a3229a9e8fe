"""The commands that train and evaluate localisers: what they leave and what they refuse."""

import csv
import json
import os

import numpy as np
import pytest
import torch

from av_envs.agents.localization import evaluate
from av_envs.agents.localization import train as command
from av_envs.agents.localization.hungarian import Hnet, save_hnet
from av_envs.agents.localization.localizer import Localizer, load_localizer
from av_envs.agents.localization.train import main

BRIEF = ["--size", "tiny", "--sequences", "12", "--batch-size", "4", "--val-every", "8"]
BRIEF += ["--seconds", "1", "--threads", "1", "--seed", "3"]
SIMULATED = ["--houses", "1", "--val-houses", "1", "--val-sequences", "2"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def often_saved(monkeypatch):
    monkeypatch.setattr(command, "SAVED_EVERY", 1)
    monkeypatch.setattr(command, "FOR_SCALE", 4)
    monkeypatch.setattr(evaluate, "DRAWS", 20)


def run(folder, recordings, *more: str) -> int:
    words = ["--data", str(recordings), "--features", "foa", "--tracks", "2", *BRIEF, *more]
    return main(["--out", str(folder), *words])


def left_by(folder) -> tuple[dict, list]:
    state = torch.load(folder / "last.pt", weights_only=True)
    moments = {k: v["exp_avg"] for k, v in state["optimiser"]["state"].items()}
    written = [(folder / name).read_bytes() for name in ("curve.csv", "best.safetensors")]
    return {**state["network"], **moments}, [state["updates"], state["best"], *written]


@pytest.fixture(scope="module")
def undisturbed(recordings, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        often_saved.__wrapped__(patch)
        folder = tmp_path_factory.mktemp("run")
        assert run(folder, recordings) == 0
    return folder


def test_a_run_leaves_a_localiser_and_its_curve(undisturbed, recordings):
    with (undisturbed / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["sequences"]) for row in rows] == [8, 12]
    assert {"le", "folded_le_sight", "confusions", "mota"} < set(rows[0])
    localizer, header = load_localizer(undisturbed / "best.safetensors")
    assert header.made["options"]["association"] == "exact"
    assert header.made["options"]["data"] == recordings.name  # no path of this machine
    directions, activity = localizer.hear(np.zeros((4, 24_000), np.float32))
    assert directions.shape == (10, 2, 3)
    assert activity.shape == (10, 2)
    assert ((activity >= 0) & (activity <= 1)).all()


@pytest.mark.parametrize(
    ("name", "moment"), [("last.pt", 1), ("best.safetensors", 1)], ids=["saved", "validated"]
)
def test_a_killed_run_ends_as_one_that_was_not(
    name, moment, undisturbed, recordings, tmp_path, monkeypatch
):
    replace, times = os.replace, []

    def replacing(draft, path):
        replace(draft, path)
        times.extend([path] if str(path).endswith(name) else [])
        if len(times) == moment and str(path).endswith(name):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run", recordings)
    assert run(tmp_path / "run", recordings, "--resume") == 0
    (tensors, rest), (known, known_rest) = left_by(tmp_path / "run"), left_by(undisturbed)
    assert rest == known_rest
    assert all(torch.equal(tensors[key], known[key]) for key in known)


@pytest.mark.parametrize("association", ["ordered", "pit", "hnet"])
def test_every_association_trains(association, recordings, tmp_path):
    save_hnet(Hnet(), tmp_path / "hnet.safetensors", {})
    more = ["--association", association, "--hnet", str(tmp_path / "hnet.safetensors")]
    assert run(tmp_path / "run", recordings, *more, "--no-activity", "--bounded") == 0
    localizer, _ = load_localizer(tmp_path / "run" / "best.safetensors")
    assert localizer.network.activity is None


def test_in_the_simulator(tmp_path):
    words = ["--features", "binaural_gcc", "--sequences", "2", "--batch-size", "2", *SIMULATED]
    assert main(["--out", str(tmp_path / "run"), *BRIEF, *words]) == 0
    localizer, _ = load_localizer(tmp_path / "run" / "best.safetensors")
    assert localizer.config.network.maps == 3


@pytest.mark.parametrize("words", [["--size", "huge"], ["--tracks", "4"], ["--data", "/no/where"]],
                         ids=lambda words: words[0])  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--out", str(tmp_path / "run"), *BRIEF, "--features", "foa", *words])
    assert stop.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("av_envs.agents.localization.train")
    assert not (tmp_path / "run").exists()


def test_an_hnet_of_other_tracks_is_refused(recordings, tmp_path, capsys):
    save_hnet(Hnet(), tmp_path / "hnet.safetensors", {})
    more = ["--association", "hnet", "--hnet", str(tmp_path / "hnet.safetensors")]
    with pytest.raises(SystemExit):
        run(tmp_path / "run", recordings, *more, "--tracks", "1")
    assert "assigns 2 tracks, the run has 1" in capsys.readouterr().err


def test_a_run_is_not_mixed_up_with_another(undisturbed, recordings, capsys):
    with pytest.raises(SystemExit):
        run(undisturbed, recordings, "--resume", "--association", "pit")
    assert "other association" in capsys.readouterr().err


def test_a_loss_that_is_no_number(recordings, tmp_path, monkeypatch, capsys):
    def nan(*given):
        return given[1].sum() * float("nan")

    monkeypatch.setattr(command, "loss", nan)
    assert run(tmp_path / "run", recordings) == 1
    assert "the loss of update 0 is nan" in capsys.readouterr().err


def test_evaluating_on_recordings(undisturbed, recordings, tmp_path, capsys):
    words = ["--localizer", str(undisturbed / "best.safetensors"), "--data", str(recordings)]
    path = tmp_path / "found.json"
    assert evaluate.main([*words, "--seconds", "1", "--json", str(path)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0] == "| measure | value | 95 % interval |"
    found = json.loads(path.read_text())
    assert len(table) == 2 + len(found)
    assert 0 <= found["le"][1] <= found["le"][0] <= found["le"][2] <= 180
    assert evaluate.main([*words, "--seconds", "1", "--track", "--json", str(path)]) == 0
    followed = json.loads(path.read_text())
    assert followed["le"] != found["le"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--sources", "3"], "the localiser has 2 tracks, --sources is 3"),
        (["--data", "/no/where"], "has no .wav file of the folds 1"),
        (["--localizer", "/no/file"], "/no/file"),
        (["--gcc"], "--gcc hears simulated takes, without --data and --localizer"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_mistakes_in_evaluating(more, says, undisturbed, capsys):
    with pytest.raises(SystemExit) as stop:
        evaluate.main(["--localizer", str(undisturbed / "best.safetensors"), *more])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_hearing_does_not_change_the_mode():
    localizer = Localizer(command.localizer_config("binaural", "tiny", 1))
    localizer.train()
    localizer.hear(np.zeros((2, 1600), np.float32))
    assert localizer.training
    with pytest.raises(ValueError, match="lasts 100 ms at least"):
        localizer.hear(np.zeros((2, 1599), np.float32))
