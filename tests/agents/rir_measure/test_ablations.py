"""The grid of the paper's ablations as commands."""

import csv
from dataclasses import replace

import pytest

from av_envs.agents.options.generator import Args as GeneratorArgs
from av_envs.agents.rir_measure.ablations import GRID, LEARNERS, directory_of, main, words_of
from av_envs.agents.rir_measure.train import Args
from av_envs.agents.runs import build_parser
from av_envs.rir_measure.metrics.episode import wcr

ALL = [(group, name) for group, teams in GRID.items() for name in teams]


@pytest.mark.parametrize(("group", "name"), ALL, ids=[f"{group} {name}" for group, name in ALL])
def test_every_team_can_be_trained(group, name):
    words = [*words_of(LEARNERS["team"], GRID[group][name], ["--seed=3"]), "--out=x"]
    given = Args(**vars(build_parser(Args, "train", None).parse_args(words)))
    paid = {"alpha_xi": 1.0, "alpha_zeta": 1.0, "alpha_psi": -1.0, "alpha_phi": 1.0}
    if group == "alpha_psi":
        paid |= {"alpha_psi": float(name), "alpha_phi": 0.0}
    elif group == "reward":
        paid |= {key: 0.0 for key in paid if key[6:] not in [*name.split("_"), "xi"]}
    elif (group, name) == ("rho", "-1"):
        assert given.rho is None  # as the preset has it
    else:
        assert str(getattr(given, group)).removesuffix(".0") == name
    assert given.env_options == paid


def test_teams_that_are_alike_are_trained_once(capsys):
    assert main(["--out", "runs", "--list", "--steps", "3"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(set(told)) == len(ALL) - 4  # the base four times, zeta_psi twice
    assert sum("--out=runs/base" in line for line in told) == 1
    assert all("--steps 3" in line for line in told)
    assert all("python -m av_envs.agents.rir_measure.train --" in line for line in told)


def test_runs_go_on_and_are_scored_at_all_lambdas(tmp_path, monkeypatch):
    told = []

    def train(words):
        told.append(words)
        folder = tmp_path / next(w for w in words if w.startswith("--out"))[6:]
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
        (folder / "curve.csv").write_text("update,wcr,cr,pe\n0.0,0.4,0.4,2.0\n1.0,0.6,0.7,1.0\n")
        return 0 if len(told) < 2 else 1

    team = replace(LEARNERS["team"], train=train)
    monkeypatch.setitem(LEARNERS, "team", team)
    words = ["--out", str(tmp_path), "--groups", "kappa"]
    assert main(words) == 1  # the second one fails
    assert main(words) == 1
    assert [("--resume" in each) for each in told] == [False, False, True]
    with (tmp_path / "ablations.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["group"], row["team"], row["update"]) == ("kappa", "0", "1.0")
    for lam in (0.1, 0.5, 0.9):
        assert float(row[f"wcr_{lam}"]) == pytest.approx(wcr(0.7, 1.0, lam), abs=1e-4)


@pytest.mark.parametrize(("learns", "score"), [("policy", "cr_mean"), ("generator", "xi")])
def test_policies_and_generators_learn_alone(learns, score, tmp_path, capsys, monkeypatch):
    learner, told = LEARNERS[learns], []
    of_command = GeneratorArgs if learns == "generator" else Args
    for group in learner.groups:
        for changes in GRID[group].values():
            words = [*words_of(learner, changes, []), "--out=x"]
            given = vars(build_parser(of_command, "train", None).parse_args(words))
            assert given.get("silent", False) == (learns == "policy")

    def train(words):
        told.append(words)
        folder = tmp_path / words[-1].removeprefix("--out=")
        folder.mkdir()
        (folder / "curve.csv").write_text(
            f"teams,{score}\n0,0.3\n8,{0.4 + len(told) / 10}\n9,0.2\n"
        )
        return 0

    monkeypatch.setitem(LEARNERS, learns, replace(learner, train=train))
    assert main(["--out", str(tmp_path), "--learns", learns, "--groups", "vision"]) == 0
    with (tmp_path / "ablations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["team"] for row in rows] == list(GRID["vision"])
    assert [float(row[score]) for row in rows] == pytest.approx(
        [0.5 + k / 10 for k in range(len(rows))]
    )
    assert {row["teams"] for row in rows} == {"8"}
    other = "kappa" if learns == "policy" else "rho"
    with pytest.raises(SystemExit):
        main(["--out", "x", "--learns", learns, "--groups", other])
    assert (
        f"--learns {learns} does not depend on {other}, only on vision" in capsys.readouterr().err
    )


def test_only_what_is_usual_is_the_base():
    depth = words_of(LEARNERS["team"], GRID["vision"]["depth"], ["--vision=blind"])
    assert build_parser(Args, "train", None).parse_args([*depth, "--out=x"]).vision == "depth"
    assert directory_of({}) == directory_of({"kappa": "2"}) == "base"
    assert directory_of({"preset": "zeta", "alpha-psi": "1"}) == "preset=zeta_alpha-psi=1"
