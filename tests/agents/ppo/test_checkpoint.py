"""A checkpoint comes back as it was, or says in one line why it cannot."""

import pickle
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from av_envs.agents.ppo.checkpoint import (
    Checkpoint,
    load_checkpoint,
    random_states,
    restore_random_states,
    save_checkpoint,
    seed_everything,
)

CPU = torch.device("cpu")
CONFIG = {"gamma": 0.9, "seed": 3}


def checkpoint() -> Checkpoint:
    seed_everything(0)
    return Checkpoint(
        agent="walker", config=CONFIG, update=4, steps=100, seconds=1.5,
        policy={"weight": torch.arange(3.0)}, optimiser={"state": {}, "param_groups": [{"lr": 1}]},
        random=[random_states(CPU)], kept={"best": {"score": 0.5}},
    )  # fmt: skip


@pytest.fixture
def path(tmp_path) -> Path:
    save_checkpoint(tmp_path / "checkpoint.pt", checkpoint())
    return tmp_path / "checkpoint.pt"


def test_it_comes_back(path):
    found = load_checkpoint(path, "walker", CONFIG)
    assert torch.equal(found.policy["weight"], torch.arange(3.0))
    same = replace(found, policy={}, random=[])
    assert same == replace(checkpoint(), policy={}, random=[])
    assert [each.name for each in path.parent.iterdir()] == ["checkpoint.pt"]


def numbers() -> tuple[float, float, float, float]:
    return random.gauss(0, 1), np.random.normal(), torch.rand(1).item(), random.random()  # noqa: NPY002


def test_random_numbers_go_on(path):
    seed_everything(0)
    expected = [numbers() for _ in range(3)]
    seed_everything(1)
    restore_random_states(load_checkpoint(path, "walker", CONFIG).random[0], CPU)
    assert [numbers() for _ in range(3)] == expected
    restore_random_states(random_states(CPU), CPU)  # in the middle of a pair of normal numbers


@pytest.mark.parametrize("size", [0, 10, 1000, -100], ids=str)
def test_a_truncated_file_is_named(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"checkpoint\.pt: cannot be read as a checkpoint") as told:
        load_checkpoint(path, "walker", CONFIG)
    assert "\n" not in str(told.value)


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def test_nothing_in_a_file_is_executed(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_checkpoint(path, "walker", CONFIG)
    torch.save({"format": 1, "policy": Bomb()}, path)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        load_checkpoint(path, "walker", CONFIG)
    assert not (path.parent / "exploded").exists()


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ([1, 2], "holds no checkpoint of av_envs.agents.ppo"),
        ({"format": 0}, "is of version 0; this one reads 1"),
        ({"format": 1, "agent": "walker"}, "must hold agent, config, kept"),
    ],
    ids=["list", "version", "parts"],
)
def test_another_file_is_named(tmp_path, contents, words):
    torch.save(contents, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=rf"other\.pt: {words}"):
        load_checkpoint(tmp_path / "other.pt", "walker", CONFIG)


def test_another_agent_or_config_is_named(path):
    with pytest.raises(ValueError, match=r"is of the agent 'walker', not 'swimmer'"):
        load_checkpoint(path, "swimmer", CONFIG)
    words = r"other options, which a run keeps: gamma 0.9 \(now 0.8\), lam None \(now 1\)"
    with pytest.raises(ValueError, match=words):
        load_checkpoint(path, "walker", {**CONFIG, "gamma": 0.8, "lam": 1})
    assert load_checkpoint(path, "walker").update == 4


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing to resume: .*none\.pt is missing"):
        load_checkpoint(tmp_path / "none.pt", "walker", CONFIG)


def test_what_could_not_be_read_back_is_refused(path):
    before = path.read_bytes()
    words = r"kept\['best'\]\['scores'\]\[1\] is a numpy.float64"
    with pytest.raises(TypeError, match=words):
        save_checkpoint(
            path, replace(checkpoint(), kept={"best": {"scores": [1.0, np.float64(2)]}})
        )
    assert path.read_bytes() == before
