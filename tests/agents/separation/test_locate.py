"""The command that trains locators: what is asked, what it leaves, how it goes on."""

import csv
import math
import os

import numpy as np
import pytest
import torch

from av_envs.agents import fitting
from av_envs.agents.separation import locate as command
from av_envs.agents.separation.agent import load_locator
from av_envs.agents.separation.locate import SecondSampler, losses, main, right
from av_envs.agents.separation.networks.locator import AZIMUTHS, RANGES
from av_envs.agents.separation.pairs import PairConfig
from tests.agents.separation import small_networks

BRIEF = ["--seconds", "12", "--batch-size", "4", "--houses", "1", "--val-houses", "1"]
BRIEF += ["--val-seconds", "4", "--val-every", "8", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def often_saved(monkeypatch):
    monkeypatch.setattr(fitting, "SAVED_EVERY", 1)
    monkeypatch.setattr(command, "VAL_BATCH", 4)


def run(folder, separator_file, *more: str) -> int:
    return main(["--out", str(folder), "--separator", str(separator_file), *BRIEF, *more])


def learned(folder) -> dict[str, torch.Tensor]:
    return torch.load(folder / "last.pt", weights_only=True)["network"]


def test_a_run_leaves_a_locator_and_its_curve(separator_file, tmp_path):
    assert run(tmp_path / "run", separator_file) == 0
    with (tmp_path / "run" / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["seconds"]) for row in rows] == [8, 12]
    _, header = load_locator(tmp_path / "run" / "best.safetensors")
    best = min(rows, key=lambda row: float(row["direction"]))
    assert header.made["val"] == {key: float(value) for key, value in best.items()}
    assert header.classes == small_networks.CLASSES


def test_a_killed_run_ends_as_one_that_was_not(separator_file, tmp_path, monkeypatch):
    assert run(tmp_path / "whole", separator_file) == 0
    replace = os.replace

    def replacing(draft, path):
        replace(draft, path)
        if str(path).endswith("last.pt"):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run", separator_file)
    assert run(tmp_path / "run", separator_file, "--resume") == 0
    one, other = learned(tmp_path / "run"), learned(tmp_path / "whole")
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_the_classes_must_be_those_of_the_separator(tmp_path, capsys):
    other = small_networks.saved_separator(
        tmp_path / "other.safetensors",
        small_networks.small_separator(2),
        classes=("cat", "dog"),
    )
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "run", other)
    assert stop.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{other}: was trained on 2 classes, the corpus has" in said
    assert not (tmp_path / "run").exists()


def test_seconds_say_where_the_target_is():
    """By level: what is on the left is louder there, in the mirror as well."""
    sampler = SecondSampler(PairConfig(houses=1, more_sources=0.0))
    heard = sampler.batch(np.random.default_rng(0), 24)
    assert heard.spectra.shape == (24, 2, 512, 32)
    assert heard.spectra.dtype == np.complex64
    sampler.mixture = lambda rng: alone(type(sampler).mixture(sampler, rng))
    single = sampler.batch(np.random.default_rng(1), 160)
    left, right_ear = np.square(np.abs(single.spectra)).sum(axis=(2, 3)).T
    near = np.linalg.norm(single.offset, axis=1) < 2.5  # farther ones come round corners
    aside = near & (np.abs(np.sin(np.arctan2(*single.offset.T[::-1]))) > 0.7)
    assert aside.sum() > 10
    agrees = (np.sign(left - right_ear) == np.sign(single.offset[:, 1]))[aside]
    assert agrees.mean() > 0.85


def alone(mixture):
    """The same mixture with nothing but its first source."""
    asked = mixture.asked.copy()
    asked[1:] = False
    images = mixture.images.copy()
    images[1:] = 0
    return mixture._replace(images=images, asked=asked)


def sure(index: int, size: int) -> torch.Tensor:
    logs = torch.full((1, size), -30.0)
    logs[0, index % size] = 0.0
    return logs


def test_losses_of_a_blind_guess():
    offset = torch.tensor([[2.0, 1.0], [-5.0, 0.5]])
    azimuth = torch.full((2, AZIMUTHS), -math.log(AZIMUTHS))
    distance = torch.full((2, RANGES), -math.log(RANGES))
    direction, far = losses(azimuth, distance, offset)
    torch.testing.assert_close(direction, torch.full((2,), math.log(AZIMUTHS)))
    torch.testing.assert_close(far, torch.full((2,), math.log(RANGES)))
    assert losses(azimuth, sure(1, RANGES).expand(2, -1), offset)[1].tolist() == [0.0, 30.0]


@pytest.mark.parametrize("degrees", [0, 44, 46, 90, 180, 269, 314, 316])
def test_quarters_and_directions(degrees):
    angle = math.radians(degrees)
    offset = torch.tensor([[3 * math.cos(angle), 3 * math.sin(angle)]])
    for wrong, (quarter, near) in {0: (1, 1), 100: (0, 0), 180: (0, 0)}.items():
        told = right(sure(round((degrees + wrong) / 10), AZIMUTHS), offset)
        assert (told[0].item(), told[1].item()) == (quarter, near)
