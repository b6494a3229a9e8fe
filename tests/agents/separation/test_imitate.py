"""The command that teaches a policy by imitation: what it leaves, refuses and goes on from."""

import csv
import os

import pytest
import torch
from safetensors.torch import load_file

from av_envs.agents.separation import imitate as command
from av_envs.agents.separation.agent import load_agent, load_separator
from av_envs.agents.separation.imitate import Args, Run, main
from av_envs.agents.separation.train import main as train
from av_envs.agents.separation.walking import walks_at

FORWARD, LEFT, RIGHT, STAY = range(4)
BRIEF = ["--rounds", "2", "--episodes", "4", "--num-envs", "4", "--houses", "1"]
BRIEF += ["--val-houses", "1", "--val-episodes", "1", "--val-every", "1", "--epochs", "1"]
BRIEF += ["--start", "near", "--batch-size", "4", "--seed", "3"]
STEPS = 4
BRIEF += ["--episode", str(STEPS)]


class Killed(BaseException):
    """Nothing in the program may handle it."""


def run(folder, separator_file, *more: str) -> int:
    return main(["--separator", str(separator_file), "--out", str(folder), *BRIEF, *more])


@pytest.fixture(scope="module")
def done(separator_file, tmp_path_factory):
    """A run that nobody disturbed."""
    return tmp_path_factory.mktemp("runs") / "run"


def finished(folder, separator_file):
    if not (folder / "last.pt").exists():
        assert run(folder, separator_file) == 0
    return folder


def rows_in(folder) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_leaves_a_memoryless_agent_and_its_curve(done, separator_file):
    finished(done, separator_file)
    assert [(row["round"], row["steps"]) for row in rows_in(done)] == [
        ("1.0", "16.0"),
        ("2.0", "32.0"),
    ]
    networks, header = load_agent(
        done / "best.safetensors", "memoryless", load_separator(separator_file)[0]
    )
    assert networks.memory is None
    assert header.made["command"] == "av_envs.agents.separation.imitate"


def test_walks_are_kept_by_round(done, separator_file):
    finished(done, separator_file)
    walks = torch.load(done / "walks_000.pt", weights_only=True)
    assert walks["expert"].shape == (STEPS, 4)
    assert walks["starts"].tolist() == [[True] * 4] + [[False] * 4] * (STEPS - 1)
    assert walks["binaural"].shape == (STEPS, 4, 3, 32, 8)
    assert walks["binaural"].dtype == torch.half
    assert (walks["pose"][0] == 0).all()  # every walk begins where an episode does
    assert walks["pose"][:, 0, 3].tolist() == [0, 1, 2, 3]
    assert walks_at(walks, torch.tensor([2]))["binaural"].dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "moment"), [("last.pt", 1), ("curve.csv", 2), ("walks_001.pt", 1)], ids=str
)
def test_a_killed_run_ends_as_one_that_was_not(
    name, moment, done, separator_file, tmp_path, monkeypatch
):
    finished(done, separator_file)
    replace, times = os.replace, []

    def replacing(draft, path):
        replace(draft, path)
        times.extend([path] if str(path).endswith(name) else [])
        if len(times) == moment and str(path).endswith(name):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replacing)
        with pytest.raises(Killed):
            run(tmp_path / "run", separator_file)
    assert run(tmp_path / "run", separator_file, "--resume") == 0
    assert rows_in(tmp_path / "run") == rows_in(done)
    one, other = (load_file(folder / "best.safetensors") for folder in (tmp_path / "run", done))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_learns_what_the_expert_does_wherever_it_is_told(separator_file, tmp_path):
    made = Run(args(tmp_path, separator_file, learning_rate=2e-3, epochs=60, rounds=9))
    made.collect()
    first = made.learn()
    assert made.learn() < 0.7 * first


def args(folder, separator_file, **options) -> Args:
    return Args(
        out=folder,
        separator=separator_file,
        episodes=4,
        num_envs=4,
        houses=1,
        val_houses=1,
        episode=STEPS,
        **options,
    )


def test_walks_of_other_runs_are_learned_from(done, separator_file, tmp_path):
    finished(done, separator_file)
    made = Run(args(tmp_path, separator_file, walks=[done, done], rounds=1, epochs=1))
    assert made.given == 16
    made.collect()
    made.learn()
    assert made.learned == 20
    assert made.rate() == pytest.approx(0)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--walks", "nowhere"], "nowhere has no walks_*.pt"),
        (["--features", "mono", "pose"], "walks_000.pt lacks mono"),
    ],
    ids=["none", "others"],
)
def test_walks_that_do_not_fit_are_refused(more, says, done, separator_file, tmp_path, capsys):
    finished(done, separator_file)
    with pytest.raises(SystemExit):
        run(tmp_path / "run", separator_file, "--walks", str(done), *more)
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_the_expert_takes_half_of_the_first_round_only(separator_file, tmp_path):
    made = Run(args(tmp_path, separator_file))
    made.networks.policy.actor.bias.data[STAY] = 1e4
    taken = []
    made.walking.senses.moved = taken.append
    for number in (0, 1):
        taken.clear()
        walks = made.walking.walks(4, (0, number), 0.0 if number else 0.5)
        stays = torch.stack(taken) == STAY
        assert stays.all() == (number == 1)
        assert (stays | (torch.stack(taken) == walks["expert"])).all()


def test_other_agents_begin_with_the_policy(done, separator_file, tmp_path):
    finished(done, separator_file)
    begun = ["--policy", str(done / "best.safetensors"), "--separator", str(separator_file)]
    brief = ["--num-envs", "4", "--houses", "1", "--val-houses", "1", "--val-episodes", "1"]
    brief += ["--minibatches", "2", "--start", "near", "--steps", "16", "--learning-rate", "1e-9"]
    brief += ["--episode", str(STEPS)]
    assert train([*begun, *brief, "--out", str(tmp_path / "run"), "--agent", "active"]) == 0
    old, new = (load_file(f / "best.safetensors") for f in (done, tmp_path / "run"))
    assert all(torch.allclose(new[name], old[name], atol=1e-4) for name in old)
    assert any(name.startswith("memory.") for name in new)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--rounds", "0"], "must be at least 1"),
        (["--start", "nowhere"], "start 'nowhere' does not exist"),
        (["--resume"], "nothing to resume"),
        (["--sounds", "/no/where"], "unknown sounds '/no/where'"),
        (["--features", "smell"], "invalid choice: 'smell'"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, separator_file, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path / "run", separator_file, *more)
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_damaged_walks_and_checkpoints_are_named(done, separator_file, tmp_path, capsys):
    finished(done, separator_file)
    for name in ("walks_000.pt", "last.pt"):
        kept = (done / name).read_bytes()
        (done / name).write_bytes(kept[:100])
        with pytest.raises(SystemExit):
            run(done, separator_file, "--resume")
        (done / name).write_bytes(kept)
        assert f"{name}: is no checkpoint" in capsys.readouterr().err


def test_a_loss_that_is_no_number_names_the_last_checkpoint(
    separator_file, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(
        command, "taught", lambda output, *labels, **weights: output.values.sum() * float("nan")
    )
    assert run(tmp_path / "run", separator_file) == 1
    assert "the loss of round 0 is nan" in capsys.readouterr().err
