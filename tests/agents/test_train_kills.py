"""A training run that is killed at any moment goes on, and ends as one that was not killed."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from av_envs.agents.adapters.sb3 import SB3Agent
from av_envs.agents.adapters.sb3.agent import load_saved
from av_envs.agents.adapters.sb3.eval_callback import rows_in, rows_of
from av_envs.agents.adapters.sb3.weights import load_policy, observations_of
from av_envs.agents.train_sb3 import main

WORDS = ["--env", "AVDynamicSep-v0", "--env-kwargs", '{"houses": 1, "steps": 3}', "--seed", "3"]
WORDS += ["--observations", "target", "pose", "--steps", "12", "--num-envs", "1"]
WORDS += ["--val-envs", "1", "--rollout", "4", "--batch-size", "4", "--epochs", "1"]
WORDS += ["--features", "8", "--val-every", "4"]
ALGORITHMS = ("ppo", "recurrent_ppo")


class Killed(BaseException):
    """Nothing in the program may handle it."""


def run(folder: Path, algorithm: str, *more: str) -> int:
    return main([*WORDS, "--algorithm", algorithm, "--out", str(folder), *more])


def left_by(folder: Path) -> tuple:
    """What a run has learnt: its table but for the seconds, and all weights."""
    rows = [{key: row[key] for key in row if key != "seconds"} for row in rows_of(folder)]
    model = load_saved("PPO", folder / "last.zip") if "ppo" in folder.name else None
    weights = [load_file(folder / "best.safetensors")]
    if model is not None:
        weights += [model.policy.state_dict()]
        assert [row["steps"] for row in rows_in(model)] == [row["steps"] for row in rows]
    return rows, weights


def assert_same(one: tuple, other: tuple) -> None:
    assert one[0] == other[0]
    for these, those in zip(one[1], other[1], strict=True):
        assert these.keys() == those.keys()
        assert all(torch.equal(these[name], those[name]) for name in these)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, tuple]:
    done = {}
    for algorithm in ALGORITHMS:
        folder = tmp_path_factory.mktemp(algorithm)
        assert run(folder, algorithm, "--drawn") == 0
        done[algorithm] = left_by(folder)
    return done


def kill_at(monkeypatch, moment: int, how: str) -> None:
    """Stop the process when it writes for the `moment`-th time: before, within or after."""
    times, writes, replace, write = [], [], os.replace, Path.write_bytes

    def replacing(draft, path):
        times.append(path)
        if len(times) == moment and how == "before":
            raise Killed
        replace(draft, path)
        if len(times) == moment and how == "after":
            raise Killed

    def writing(path, data):
        writes.append(path)  # safetensors writes by itself
        if len(writes) == moment and how == "within":
            write(path, data[: len(data) // 2])
            raise Killed
        return write(path, data)

    monkeypatch.setattr(os, "replace", replacing)
    monkeypatch.setattr(Path, "write_bytes", writing)


def check_kill(monkeypatch, folder, undisturbed, algorithm, moment, how) -> None:
    with monkeypatch.context() as patch:
        kill_at(patch, moment, how)
        with pytest.raises(Killed):
            run(folder, algorithm, "--drawn")
    started = (folder / "config.json").exists()
    assert run(folder, algorithm, "--drawn", *(["--resume"] if started else [])) == 0
    assert_same(left_by(folder), undisturbed[algorithm])
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("algorithm", "moment", "how"),
    [
        ("ppo", 1, "before"),  # nothing there
        ("ppo", 3, "within"),  # half a zip, the first
        ("ppo", 4, "after"),  # saved, no row in the table
        ("recurrent_ppo", 6, "after"),
    ],
)
def test_a_killed_run_ends_as_one_that_was_not(
    tmp_path, monkeypatch, undisturbed, algorithm, moment, how
):
    folder = tmp_path / algorithm
    check_kill(monkeypatch, folder, undisturbed, algorithm, moment, how)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["before", "within", "after"])
@pytest.mark.parametrize("moment", range(1, 11))
def test_a_kill_at_any_moment(tmp_path, monkeypatch, undisturbed, moment, how):
    check_kill(monkeypatch, tmp_path / "ppo", undisturbed, "ppo", moment, how)


def test_a_finished_run_stays_as_it_is(tmp_path, undisturbed):
    folder = tmp_path / "ppo"
    run(folder, "ppo", "--drawn")
    assert run(folder, "ppo", "--drawn", "--resume") == 0
    assert_same(left_by(folder), undisturbed["ppo"])


def test_a_mistaken_option_leaves_nothing_behind(tmp_path):
    with pytest.raises(SystemExit):
        run(tmp_path / "run", "ppo", "--env", "AVNowhere-v0")
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_named(tmp_path, monkeypatch, capsys):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(tmp_path / "run", "ppo") == 1
    assert f"No space left on device: '{tmp_path}/run/config.json'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["last.zip", "config.json"])
def test_damaged_files_of_a_run_are_named(tmp_path, capsys, name):
    run(tmp_path, "ppo", "--steps", "4")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    with pytest.raises(SystemExit):
        run(tmp_path, "ppo", "--steps", "4", "--resume")
    assert str(tmp_path / name) in capsys.readouterr().err


def tensors(path: Path, metadata: dict | None) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, path, metadata)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff" * 479),
        lambda path: tensors(path, None),
        lambda path: tensors(path, {"config": "["}),
        lambda path: tensors(path, {"config": "{}"}),
        lambda path: tensors(path, {"config": json.dumps(
            {"algorithm": "SAC", "network": {}, "observations": []})}),
        lambda path: tensors(path, {"config": json.dumps(
            {"algorithm": "PPO", "network": {"net_arch": 3}, "observations": ["pose"]})}),
    ],
)  # fmt: skip
def test_damaged_weights_are_named(tmp_path, write):
    import gymnasium as gym

    path = tmp_path / "some.safetensors"
    write(path)
    space = gym.spaces.Dict(pose=gym.spaces.Box(-1, 1, (4,)))
    with pytest.raises(ValueError, match=r"some\.safetensors: "):
        load_policy(path, space, {}, gym.spaces.Discrete(4))
    path.with_suffix(".zip").write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=r"some\.zip holds no model of PPO"):
        SB3Agent(space, gym.spaces.Discrete(4), seed=0, checkpoint=str(path.with_suffix(".zip")))


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        observations_of(tmp_path / "none.safetensors")
