"""The command that trains memories alone: what it leaves, what it learns, how it goes on."""

import csv
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from av_envs.agents.separation import agent as agents
from av_envs.agents.separation.agent import digest, load_agent, load_separator, save_agent
from av_envs.agents.separation.remember import REMEMBER, Args, Run, main
from av_envs.agents.separation.walking import HEARD
from tests.agents.separation.small_networks import CLASSES, saved_agent, small_agent

STEPS = 3
BRIEF = ["--episodes", "4", "--num-envs", "2", "--houses", "1", "--val-houses", "1"]
BRIEF += ["--val-episodes", "2", "--val-every", "1", "--epochs", "2", "--batch-size", "3"]
BRIEF += ["--start", "near", "--episode", str(STEPS), "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


def run(folder, separator_file, policy, *more: str) -> int:
    given = ["--out", str(folder), "--separator", str(separator_file), "--policy", str(policy)]
    return main([*given, *BRIEF, *more])


def learned(folder) -> dict[str, torch.Tensor]:
    return torch.load(folder / "last.pt", weights_only=True)["network"]


def alone(separator_file, policy, tmp_path, **options) -> Run:
    """A run that has not walked: the test says what was heard."""
    return Run(Args(out=tmp_path, separator=separator_file, policy=policy, **options))


@pytest.mark.parametrize("kind", REMEMBER)
def test_a_run_leaves_an_agent_and_its_curve(kind, separator_file, agent_files, tmp_path):
    policy = agent_files["memoryless"]
    assert run(tmp_path / "run", separator_file, policy, "--agent", kind) == 0
    with (tmp_path / "run" / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["update"]) for row in rows] == [1, 2, 3, 4]
    separator = load_separator(separator_file)[0]
    networks, header = load_agent(tmp_path / "run" / "best.safetensors", kind, separator)
    best = max(rows, key=lambda row: float(row["gain"]))
    assert header.made["val"] == {key: float(value) for key, value in best.items()}
    begun, _ = load_agent(policy, "memoryless", separator)
    assert digest(networks.policy) == digest(begun.policy)
    heard = torch.load(tmp_path / "run" / "heard_train.pt", weights_only=True)
    assert {name: tuple(value.shape) for name, value in heard.items()} == dict.fromkeys(
        HEARD, (STEPS, 4, 512, 32)
    )


@pytest.mark.parametrize("name", ["heard_train.pt", "heard_val.pt", "last.pt"])
def test_a_killed_run_ends_as_one_that_was_not(
    name, separator_file, agent_files, tmp_path, monkeypatch
):
    policy = agent_files["memoryless"]
    assert run(tmp_path / "whole", separator_file, policy) == 0
    replace_file = os.replace

    def replacing(draft, path):
        replace_file(draft, path)
        if str(path).endswith(name):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run", separator_file, policy)
    assert run(tmp_path / "run", separator_file, policy, "--resume") == 0
    one, other = learned(tmp_path / "run"), learned(tmp_path / "whole")
    assert all(torch.equal(one[key], other[key]) for key in other)


def test_every_walk_is_learned_from_once_in_an_epoch(separator_file, agent_files, tmp_path):
    policy = agent_files["memoryless"]
    made = alone(separator_file, policy, tmp_path, batch_size=12)
    numbers = torch.arange(32.0).expand(2, 32)[..., None, None]
    made.heard = {"train": dict.fromkeys(HEARD, numbers)}
    assert made.of_an_epoch == 3
    for epoch in range(2):
        seen = [made.drawn(3 * epoch + turn).truth[:, 0, 0, 0] for turn in range(3)]
        assert [len(part) for part in seen] == [12, 12, 8]
        assert sorted(torch.cat(seen).tolist()) == list(range(32))


def test_the_walks_of_another_run_do_as_well(separator_file, agent_files, tmp_path, capsys):
    policy, walks = agent_files["memoryless"], ("--walks", str(tmp_path / "one"))
    assert run(tmp_path / "one", separator_file, policy) == 0
    assert run(tmp_path / "two", separator_file, policy, *walks) == 0
    assert not (tmp_path / "two" / "heard_train.pt").exists()
    one, other = learned(tmp_path / "one"), learned(tmp_path / "two")
    assert all(torch.equal(one[key], other[key]) for key in other)
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "three", separator_file, policy, *walks, "--num-sources", "3")
    assert stop.value.code == 2
    assert "walked with another num_sources" in capsys.readouterr().err.splitlines()[-1]


def test_a_gain_is_in_decibels_of_the_seconds_that_sound(separator_file, agent_files, tmp_path):
    """The untrained residual memory is worth nothing, one that halves the error 6 dB."""
    made = alone(separator_file, agent_files["memoryless"], tmp_path, val_episodes=2)
    truth = torch.full((3, 2, 512, 32), 2.0)
    truth[:, 1] = 0.0  # a target that is silent all the time does not count
    made.heard = {"val": {"passive": 1.5 * truth + 1, "truth": truth}}
    row, score = made.scores()
    assert score == row["gain"] == pytest.approx(0.0, abs=1e-6)
    half = {"gain": passive_less(1.0), "alone": passive_less(0.0), "hindsight": passive_less(0.0)}
    made._refined = lambda passive: {name: less(passive) for name, less in half.items()}
    row, _ = made.scores()
    assert row["gain"] == pytest.approx(6.02, abs=0.05)
    assert row["alone"] == row["hindsight"] == pytest.approx(0.0, abs=1e-6)


def passive_less(number: float):
    return lambda passive: passive - number


@pytest.mark.parametrize("kind", ["active", "move2hear"])
def test_alone_nothing_before_a_second_counts(kind, separator_file, agent_files, tmp_path):
    made = alone(separator_file, agent_files["memoryless"], tmp_path, agent=kind)
    for weights in made.network.parameters():  # as if trained
        torch.nn.init.normal_(weights, std=0.1)
    made.network.eval()
    passive = torch.rand(1, 3, 512, 32)
    other = torch.cat([torch.rand(1, 1, 512, 32), passive[:, 1:]], dim=1)
    with torch.no_grad():
        one, two = made._refined(passive), made._refined(other)
    assert torch.equal(one["alone"][:, 1:], two["alone"][:, 1:])
    assert not torch.equal(one["gain"][:, 1:], two["gain"][:, 1:])


def test_a_file_may_leave_the_policy_to_the_one_that_ships(separator_file, tmp_path, monkeypatch):
    separator = load_separator(separator_file)[0]
    shipped = saved_agent(tmp_path / "memoryless.safetensors", small_agent("memoryless", separator))
    monkeypatch.setattr(agents, "MEMORYLESS", shipped)
    policy = load_agent(shipped, "memoryless", separator)[0].policy
    networks = small_agent("move2hear", separator)
    networks.config = replace(networks.config, moves_as=digest(policy))
    path = tmp_path / "move2hear.safetensors"
    save_agent(networks, path, CLASSES, {})
    assert all(name.startswith("memory.") for name in load_file(path))
    kept, _ = load_agent(path, "move2hear", separator)
    assert digest(kept.policy) == digest(policy)
    assert torch.equal(kept.memory.second.bias, networks.memory.second.bias.half().float())

    networks.config = replace(networks.config, moves_as="0123")
    save_agent(networks, path, CLASSES, {})
    with pytest.raises(ValueError, match="moves as the policy 0123, that of"):
        load_agent(path, "move2hear", separator)


def test_a_memoryless_agent_has_nothing_to_train(separator_file, agent_files, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(tmp_path, separator_file, agent_files["memoryless"], "--agent", "memoryless")
    assert stop.value.code == 2
    assert "invalid choice: 'memoryless'" in capsys.readouterr().err


def test_a_loss_that_is_no_number_stops(separator_file, agent_files, tmp_path, capsys):
    policy = agent_files["memoryless"]
    rate = ("--learning-rate", "1e30")
    assert run(tmp_path / "run", separator_file, policy, "--agent", "move2hear", *rate) == 1
    assert "the last good checkpoint" in capsys.readouterr().err.splitlines()[-1]
