"""The command that trains the generator alone, and what it is shown."""

import csv
import os

import numpy as np
import pytest
import torch

from av_envs.agents.rir_measure.pretrain import main
from av_envs.agents.rir_measure.sampling import RandomWalks, UniformPairs
from av_envs.agents.rir_measure.senses import pairs_of
from av_envs.agents.rir_measure.team import load_generator
from av_envs.rir_measure.config import MeasureConfig
from tests.agents.rir_measure import small_teams
from tests.agents.rir_measure.small_teams import GENERATOR, ONE_FLAT, SENSES

BRIEF = ["--houses", "1", "--val-houses", "1", "--val-teams", "3", "--batch-size", "2"]
BRIEF += ["--teams", "12", "--val-every", "4", "--device", "cpu", "--env-kwargs", '{"steps": 3}']


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    parts = (SENSES, small_teams.PolicyConfig(state_size=8), GENERATOR)
    monkeypatch.setattr("av_envs.agents.rir_measure.pretrain.sizes", lambda size: parts)


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, *more])


def rows_of(folder) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_by(folder) -> tuple:
    state = torch.load(folder / "last.pt", weights_only=True)
    weights = [value.tolist() for value in state["generator"].values()]
    return rows_of(folder), state["updates"], weights, (folder / "best.safetensors").read_bytes()


@pytest.mark.parametrize("sampler", ["uniform_pairs", "random_policy"])
def test_a_killed_run_ends_as_one_that_was_not(sampler, tmp_path, monkeypatch):
    assert run(tmp_path / "whole", "--sampler", sampler) == 0
    assert [row["teams"] for row in rows_of(tmp_path / "whole")] == ["4.0", "8.0", "12.0"]
    load_generator(tmp_path / "whole" / "best.safetensors", SENSES, GENERATOR)
    replace, times = os.replace, []

    def replacing(draft, path):
        replace(draft, path)
        times.extend([path] * str(path).endswith("curve.csv"))
        if len(times) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run", "--sampler", sampler)
    assert run(tmp_path / "run", "--sampler", sampler, "--resume") == 0
    assert left_by(tmp_path / "run") == left_by(tmp_path / "whole")


def test_a_damaged_run_is_named(tmp_path, capsys):
    assert run(tmp_path) == 0
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(SystemExit):
        run(tmp_path, "--resume")
    assert "last.pt: cannot be resumed" in capsys.readouterr().err


def test_uniform_pairs_are_what_the_environment_would_measure():
    config = MeasureConfig(**ONE_FLAT)
    sampler = UniformPairs(config, 3, SENSES, 2)
    one, other = (sampler.batch(np.random.default_rng(seed)) for seed in (0, 0))
    assert torch.equal(one.rirs, other.rirs)
    assert one.moments["pictures"].shape == (3, 2, 2, 4, 16, 16)
    assert one.rirs.shape == (3, 2, 2, 16000)
    dwelling = sampler.pool.open(sampler.pool.names[0])
    graph = dwelling.scene.graph
    for place, azimuth, rirs in zip(
        one.moments["position"][:, 0], one.moments["azimuth"][:, 0], one.rirs, strict=True
    ):
        nodes = [int(np.abs(graph.positions - each.numpy()).sum(1).argmin()) for each in place]
        for (emitter, receiver), rir in zip(pairs_of(config).tolist(), rirs, strict=True):
            heading = round(azimuth[receiver, 0].item() * 4)
            expected = dwelling.acoustics.rir(nodes[emitter], nodes[receiver], heading)
            np.testing.assert_array_equal(rir.numpy(), expected)
    steps = one.moments["azimuth"][..., 0, 1] * config.steps  # (3, moments)
    torch.testing.assert_close(steps[:, 0] - steps[:, 1], torch.ones(3))


def test_random_walks_begin_anew():
    walks = RandomWalks("AVRIRMeasure-v0", 2, SENSES, 2, ONE_FLAT)
    played = []
    for _ in range(2):
        walks.begin(7)
        rng = np.random.default_rng(1)
        played.append([walks.batch(rng) for _ in range(8)])
    for one, other in zip(*played, strict=True):
        assert torch.equal(one.rirs, other.rirs)
        assert torch.equal(one.moments["pictures"], other.moments["pictures"])
    times = torch.stack([batch.moments["azimuth"][:, :, 0, 1] for batch in played[0]]) * 6
    assert times[:, 0, 0].round().tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert times[:, 0, 1].round().tolist() == [0, 0, 1, 2, 3, 4, 5, 0]
