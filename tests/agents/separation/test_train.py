"""The command that trains agents: what it leaves, how it goes on, and what it refuses."""

import csv
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from av_envs.agents.ppo.checkpoint import load_checkpoint
from av_envs.agents.ppo.distributed import ALONE, Ranks
from av_envs.agents.separation import train as command
from av_envs.agents.separation.agent import load_agent, load_separator
from av_envs.agents.separation.novelty import NoveltyReward
from av_envs.agents.separation.train import (
    Args,
    main,
    make_envs,
    make_networks,
    ppo_config,
)
from tests.agents.separation.small_networks import saved_separator, small_separator

BRIEF = ["--num-envs", "4", "--houses", "1", "--val-houses", "1", "--val-episodes", "1"]
BRIEF += ["--epochs", "1", "--minibatches", "2", "--device", "cpu"]
BRIEF += ["--start", "near", "--episode", "4", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


def run(folder, separator_file, *more: str) -> int:
    words = ["--separator", str(separator_file), "--out", str(folder), *BRIEF]
    return main([*words, "--steps", "32", "--val-every", "16", *more])


def rows_of(folder) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_by(folder, kind: str) -> dict:
    """All that a run has learnt: tensors by name, and its curve."""
    found = load_checkpoint(folder / "checkpoint.pt", f"separation {kind}")
    memory = found.kept.get("memory", {})
    tensors = {f"policy {name}": value for name, value in found.policy.items()}
    tensors |= {f"memory {name}": value for name, value in memory.items()}
    tensors |= load_file(folder / "best.safetensors")
    return {"rows": rows_of(folder), "steps": found.steps, "tensors": tensors}


def assert_same(one: dict, other: dict) -> None:
    assert (one["rows"], one["steps"]) == (other["rows"], other["steps"])
    assert one["tensors"].keys() == other["tensors"].keys()
    assert all(torch.equal(one["tensors"][key], other["tensors"][key]) for key in one["tensors"])


def complaint(capsys, folder, separator_file, *more: str) -> str:
    with pytest.raises(SystemExit) as stop:
        run(folder, separator_file, *more)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def runs(separator_file, tmp_path_factory):
    """A folder for every kind of agent; runs of two updates that nobody disturbed."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize(
    "kind",
    [
        "active",
        "move2hear",
        "novelty",
        pytest.param("single_step", marks=pytest.mark.slow),
        pytest.param("memoryless", marks=pytest.mark.slow),
    ],
)
def test_every_agent_learns(kind, runs, separator_file):
    assert run(runs / kind, separator_file, "--agent", kind) == 0
    assert [row["update"] for row in rows_of(runs / kind)] == ["0.0", "1.0", "2.0"]
    separator = load_separator(separator_file)[0]
    networks, header = load_agent(runs / kind / "best.safetensors", kind, separator)
    assert header.made["options"]["agent"] == kind
    assert header.made["val"]["update"] in (0.0, 1.0, 2.0)
    learnt = load_checkpoint(runs / kind / "checkpoint.pt", f"separation {kind}")
    assert (learnt.update, learnt.steps) == (2, 32)
    assert ("memory" in learnt.kept) == (networks.memory is not None)
    assert learnt.kept["teaching"]["weight"] == 0.0


def kill_at(monkeypatch, name: str, moment: int, how: str) -> None:
    """Stop the process when it moves a file of that name into place for the `moment`-th time."""
    replace, times = os.replace, []

    def replacing(draft, path):
        if str(path).endswith(name):
            times.append(path)
        is_now = len(times) == moment and str(path).endswith(name)
        if is_now and how == "before":
            raise Killed
        replace(draft, path)
        if is_now:
            raise Killed

    monkeypatch.setattr(os, "replace", replacing)


@pytest.mark.parametrize(
    ("kind", "name", "moment", "how"),
    [
        ("active", "curve.csv", 2, "after"),  # a row in the curve that no checkpoint knows of
        ("move2hear", "checkpoint.pt", 2, "after"),
        pytest.param("active", "checkpoint.pt", 1, "before", marks=pytest.mark.slow),  # nothing yet
    ],
)
def test_a_killed_run_ends_as_one_that_was_not(
    kind, name, moment, how, runs, separator_file, tmp_path, monkeypatch
):
    if not (runs / kind / "checkpoint.pt").exists():
        run(runs / kind, separator_file, "--agent", kind)
    with monkeypatch.context() as patch:
        kill_at(patch, name, moment, how)
        with pytest.raises(Killed):
            run(tmp_path / "run", separator_file, "--agent", kind)
    assert run(tmp_path / "run", separator_file, "--agent", kind, "--resume") == 0
    assert_same(left_by(tmp_path / "run", kind), left_by(runs / kind, kind))


def args(**options) -> Args:
    return Args(out="nowhere", houses=1, num_envs=4, episode=4, **options)


@pytest.mark.parametrize(
    ("options", "reward", "is_novelty"),
    [
        ({}, "si_sdr_gain", False),
        ({"agent": "move2hear"}, "improvement", False),
        ({"agent": "novelty"}, "si_sdr", True),
        ({"agent": "novelty", "reward": "neg_nmse"}, "neg_nmse", False),
        ({"reward": "approach"}, "approach", False),
    ],
    ids=str,
)
def test_rewards(separator, options, reward, is_novelty):
    chosen = args(**options)
    envs = make_envs(chosen, make_networks(chosen, separator)[0])
    assert envs.unwrapped.config.reward == reward
    assert isinstance(envs, NoveltyReward) == is_novelty


def test_options_reach_networks_and_environments(separator):
    chosen = args(
        features=["mono", "pose"], look_back=4, noise_snr_db=30.0, num_sources=3, start="near"
    )
    networks, _ = make_networks(chosen, separator)
    assert networks.config.policy.features == ("mono", "pose")
    assert networks.config.look_back == 4
    config = make_envs(chosen, networks).unwrapped.config
    assert (config.noise_snr_db, config.num_sources, config.start) == (30.0, 3, "near")
    assert config.observations == ("mixture", "target", "pose")


def test_rewards_are_scaled_and_nothing_else(separator):
    chosen = args(agent="memoryless")
    networks, _ = make_networks(chosen, separator)
    moves = {"move": [1] * 4, "estimate": torch.ones(4, 512, 32).numpy()}
    given = []
    for factor in (1.0, 0.25):
        envs = command._Scaled(make_envs(chosen, networks), factor)
        envs.reset(seed=0)
        given.append(envs.step(moves)[1:4])
    (full, *ends), (part, *same) = given
    assert part == pytest.approx(0.25 * full)
    assert [list(one) for one in ends] == [list(one) for one in same]


def test_as_many_updates_as_steps_make():
    assert ppo_config(args(steps=33), ALONE).updates == 3  # of 4 steps in 4 environments
    assert ppo_config(args(steps=32, val_every=16), ALONE).checkpoint_every == 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--minibatches", "3"], "--minibatches must divide the 4 environments, got 3"),
        (["--agent", "fast"], "invalid choice: 'fast'"),
        (["--step", "3", "--foo"], "unrecognized arguments: --foo"),
        (["--device", "abacus"], "device 'abacus' is not to be had"),
        (["--start", "nowhere"], "start 'nowhere' does not exist"),
        (["--seed", "-1"], "argument --seed"),
        (["--look-back", "-1"], "argument --look-back"),
        (["--houses", "0"], "must be at least 1"),
        (["--resume"], "nothing to resume"),
        (["--sounds", "/no/where"], "unknown sounds '/no/where'"),
        (["--gamma", "2"], "gamma must lie in 0..1"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, separator_file, tmp_path, capsys):
    assert says in complaint(capsys, tmp_path / "run", separator_file, *more)
    assert not (tmp_path / "run").exists()


def test_a_separator_of_another_corpus_is_refused(tmp_path, capsys):
    other = saved_separator(tmp_path / "o.safetensors", small_separator(3), ("a", "b", "c"))
    said = complaint(capsys, tmp_path / "run", other)
    assert "o.safetensors: was trained on 3 classes, the corpus has" in said


def test_a_run_is_not_mixed_up_with_another(runs, separator_file, capsys):
    if not (runs / "novelty").exists():
        run(runs / "novelty", separator_file, "--agent", "novelty")
    given = (capsys, runs / "novelty", separator_file, "--agent", "novelty")
    assert "holds a run already" in complaint(*given)
    assert "was made with other clip" in complaint(*given, "--resume", "--clip", "0.3")
    assert "was made with other agent" in complaint(*given[:3], "--agent", "active", "--resume")


def test_a_missing_separator_is_a_line(tmp_path, capsys):
    assert run(tmp_path / "run", tmp_path / "none.safetensors") == 1
    said = capsys.readouterr().err
    assert "none.safetensors" in said
    assert said.startswith("error: ")


def test_a_loss_that_is_no_number_names_the_last_checkpoint(
    separator_file, tmp_path, monkeypatch, capsys
):
    from av_envs.agents.separation.memory_training import MemoryTraining

    loss = MemoryTraining._loss
    asked = []

    def spoilt(self, estimates, truths):
        asked.append(1)
        return loss(self, estimates, truths) * (float("nan") if len(asked) > 1 else 1.0)

    monkeypatch.setattr(MemoryTraining, "_loss", spoilt)
    once = ("--agent", "active", "--memory-epochs", "1")
    assert run(tmp_path / "run", separator_file, *once) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "the memory's loss of update 1 is nan" in said
    assert f"last good checkpoint is {tmp_path}/run/checkpoint.pt, after 1 updates" in said


def test_nothing_is_written_before_all_ranks_have_looked(separator_file, tmp_path):
    """Or the others would find a run there already."""
    seen = []

    class Watching(Ranks):
        def gather(self, value):
            seen.append((tmp_path / "run" / "config.json").exists())
            return super().gather(value)

    chosen = args(agent="novelty", separator=separator_file, steps=16, val_episodes=1, val_houses=1)
    command.train(replace(chosen, out=tmp_path / "run", device="cpu"), Watching())
    assert seen[0] is False
    assert seen[-1] is True


@pytest.mark.slow
def test_two_ranks_train_and_go_on(separator_file, tmp_path):
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    words += ["-m", "--", "av_envs.agents.separation.train", "--separator", str(separator_file)]
    words += ["--out", str(tmp_path / "run"), *BRIEF, "--steps", "160", "--val-every", "160"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for more in ([], ["--resume"]):
        subprocess.run([*words, *more], check=True, env=environment)
    found = load_checkpoint(tmp_path / "run" / "checkpoint.pt", "separation active")
    updates = 160 // (4 * 4 * 2)  # steps of an episode, environments and ranks
    assert (found.update, found.steps, len(found.random)) == (updates, 160, 2)
    again = subprocess.run(words, check=False, env=environment, capture_output=True, text=True)
    assert again.returncode != 0
    assert "holds a run already" in again.stderr
