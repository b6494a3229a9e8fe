"""The command that trains teams: what it leaves, how it goes on, and what it refuses."""

import csv
import os

import pytest
import torch
from safetensors.torch import load_file

from av_envs.agents.ppo.checkpoint import load_checkpoint
from av_envs.agents.ppo.distributed import ALONE
from av_envs.agents.rir_measure.presets import PRESETS
from av_envs.agents.rir_measure.recipes import Recipe, recipe
from av_envs.agents.rir_measure.team import load_team, save_generator
from av_envs.agents.rir_measure.train import Args, main, make_envs, make_networks, ppo_config
from tests.agents.rir_measure import small_teams

BRIEF = ["--num-envs", "2", "--rollout", "4", "--houses", "1", "--val-houses", "1"]
BRIEF += ["--val-episodes", "1", "--epochs", "1", "--minibatches", "2", "--device", "cpu"]
BRIEF += ["--env-kwargs", '{"steps": 3}', "--generator-teams", "3", "--seed", "3"]


class Killed(BaseException):
    """Nothing in the program may handle it."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Networks that are quick."""
    parts = (small_teams.SENSES, small_teams.PolicyConfig(state_size=8), small_teams.GENERATOR)
    monkeypatch.setattr("av_envs.agents.rir_measure.team.sizes", lambda size: parts)


def run(folder, *more: str) -> int:
    return main(["--out", str(folder), *BRIEF, "--steps", "16", "--val-every", "8", *more])


def rows_of(folder) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def left_by(folder, preset: str) -> dict:
    """All that a run has learnt: tensors by name, and its curve."""
    found = load_checkpoint(folder / "checkpoint.pt", f"measuring {preset}")
    tensors = {f"policy {name}": value for name, value in found.policy.items()}
    for part in ("generator", "assignment"):
        state = found.kept.get(part, {})
        tensors |= {f"{part} {name}": value for name, value in state.items()}
    tensors |= load_file(folder / "best.safetensors")
    return {"rows": rows_of(folder), "steps": found.steps, "tensors": tensors}


def assert_same(one: dict, other: dict) -> None:
    assert (one["rows"], one["steps"]) == (other["rows"], other["steps"])
    assert one["tensors"].keys() == other["tensors"].keys()
    assert all(torch.equal(one["tensors"][key], other["tensors"][key]) for key in one["tensors"])


def complaint(capsys, folder, *more: str) -> str:
    with pytest.raises(SystemExit) as stop:
        run(folder, *more)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder for every preset; runs of two updates that nobody disturbed."""
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize("preset", ["macma", "macmara"])
def test_teams_learn(preset, runs):
    assert run(runs / preset, "--preset", preset) == 0
    rows = rows_of(runs / preset)
    assert [row["update"] for row in rows] == ["0.0", "1.0", "2.0"]
    assert all(0 < float(row["cr"]) < 1 and float(row["pe"]) > 0 for row in rows)
    networks, header = load_team(runs / preset / "best.safetensors", preset)
    assert header.made["options"]["preset"] == preset
    assert networks.config.rho == PRESETS[preset].rho
    learnt = load_checkpoint(runs / preset / "checkpoint.pt", f"measuring {preset}")
    # of 4 steps of 2 teams one ends an episode and the next one begins another
    assert (learnt.update, learnt.steps) == (2, 2 * (4 - 1) * 2)
    assert ("assignment" in learnt.kept) == (preset == "macmara")


def test_silent_teams_learn_and_others_begin_with_them(runs, tmp_path, capsys):
    """The generator stays what it was, and the policy goes on from a file."""
    generator = small_teams.small_team(seed=5).generator
    path = tmp_path / "generator.safetensors"
    save_generator(generator, small_teams.SENSES, path, {})
    silent = ["--silent", "--generator", str(path)]
    assert run(tmp_path / "silent", *silent) == 0
    assert run(tmp_path / "silent", *silent, "--resume") == 0
    rows = rows_of(tmp_path / "silent")
    assert [row["update"] for row in rows] == ["0.0", "1.0", "2.0"]
    assert all(0 < float(row["cr_mean"]) <= float(row["cr"]) < 1 for row in rows)
    networks, _ = load_team(tmp_path / "silent" / "best.safetensors", "macma")
    for found, kept in zip(networks.generator.parameters(), generator.parameters(), strict=True):
        torch.testing.assert_close(found, kept.half().float())
    begun = make_networks(Args(out=tmp_path, policy=tmp_path / "silent" / "best.safetensors"))
    for found, kept in zip(begun.policy.parameters(), networks.policy.parameters(), strict=True):
        assert torch.equal(found, kept)
    words = ["--policy", str(tmp_path / "silent" / "best.safetensors"), "--weights", "shared"]
    assert "its policy is another" in complaint(capsys, tmp_path / "other", *words)


def kill_at(monkeypatch, name: str, moment: int) -> None:
    """Stop the process after it has moved a file of that name into place for that time."""
    replace, times = os.replace, []

    def replacing(draft, path):
        replace(draft, path)
        if str(path).endswith(name):
            times.append(path)
            if len(times) == moment:
                raise Killed

    monkeypatch.setattr(os, "replace", replacing)


@pytest.mark.parametrize(
    ("preset", "name", "moment"),
    [
        ("macmara", "curve.csv", 2),  # a row in the curve that no checkpoint knows of
        ("macma", "checkpoint.pt", 2),
    ],
)
def test_a_killed_run_ends_as_one_that_was_not(preset, name, moment, runs, tmp_path, monkeypatch):
    if not (runs / preset / "checkpoint.pt").exists():
        run(runs / preset, "--preset", preset)
    with monkeypatch.context() as patch:
        kill_at(patch, name, moment)
        with pytest.raises(Killed):
            run(tmp_path / "run", "--preset", preset)
    assert run(tmp_path / "run", "--preset", preset, "--resume") == 0
    assert_same(left_by(tmp_path / "run", preset), left_by(runs / preset, preset))


def args(**options) -> Args:
    return Args(out="nowhere", houses=1, num_envs=2, minibatches=2, device="cpu", **options)


def test_options_reach_networks_and_environments():
    changed = {"preset": "zeta", "alpha_psi": 1.0, "kappa": 3, "vision": "depth", "rho": 0.2}
    scales = [1.0, 2.0, 3.0, 4.0]
    chosen = args(weights="shared", critic="separate", scales=scales, env="houses", **changed)
    networks = make_networks(chosen)
    config = networks.config
    assert (config.rho, config.generator.kappa, config.senses.vision) == (0.2, 3, "depth")
    assert (config.policy.weights, config.policy.critic) == ("shared", "separate")
    envs = make_envs(chosen, networks, torch.device("cpu"))
    found = envs.unwrapped.envs[0].config
    assert (found.alpha_zeta, found.alpha_psi, found.alpha_phi) == (1.0, 1.0, 0.0)
    assert (found.kind, found.prediction) == ("house", "none")
    assert envs.scales == {"xi": 1.0, "zeta": 2.0, "psi": 3.0, "phi": 4.0}


def test_the_paper_learns_as_table_9_says():
    config = ppo_config(Args(out="nowhere", size="paper"), ALONE)
    assert (config.updates, config.rollout, config.epochs, config.minibatches) == (
        40_000,
        150,
        4,
        1,
    )
    assert (config.clip, config.learning_rate, config.entropy_coef) == (0.1, 2e-4, 0.02)
    assert (config.gamma, config.gae_lambda, config.value_coef) == (0.99, 0.95, 0.5)
    assert not config.clip_decay
    assert not config.learning_rate_decay
    assert ppo_config(Args(out="nowhere", size="paper", env="houses"), ALONE).updates == 60_000
    assert Recipe().mse_share == 1.0


def test_what_is_given_counts_more_than_the_size():
    assert recipe("small", "flats", {"gamma": 0.5, "clip": None}).gamma == 0.5
    assert recipe("small", "flats", {"clip": None}).clip == recipe("small", "flats", {}).clip


def test_a_generator_to_begin_with(tmp_path):
    path, trained = tmp_path / "g.safetensors", small_teams.small_team(seed=9).generator
    save_generator(trained, small_teams.SENSES, path, {})
    found = make_networks(args(generator=path)).generator
    assert torch.equal(found.latent.weight, trained.latent.weight.half().float())
    with pytest.raises(ValueError, match="generator of another size or kind: generator kappa 2"):
        make_networks(args(generator=path, kappa=1))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--minibatches", "3"], "--minibatches must divide the 2 teams, got 3"),
        (["--preset", "paid"], "invalid choice: 'paid'"),
        (["--device", "abacus"], "device 'abacus' is not to be had"),
        (["--kappa", "5"], "--kappa must be at most a rollout, 4, got 5"),
        (["--rho", "2"], "rho must be -1 or lie in 0..1, got 2"),
        (["--mse-share", "2"], "mse_share must lie in 0..1"),
        (["--scales", "1"], "expected 4 arguments"),
        (["--env-kwargs", '{"step": 3}'], "step"),
        (["--resume"], "nothing to resume"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_mistake_is_named_and_leaves_nothing(more, says, tmp_path, capsys):
    assert says in complaint(capsys, tmp_path / "run", *more)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_mixed_up_with_another(runs, capsys):
    if not (runs / "macma").exists():
        run(runs / "macma")
    assert "holds a run already" in complaint(capsys, runs / "macma")
    for other in (["--clip", "0.3"], ["--preset", "curiosity"], ["--size", "paper"]):
        said = complaint(capsys, runs / "macma", "--resume", *other)
        assert f"was made with other {other[0][2:]}" in said
