"""The paper's ablations: `python -m av_envs.agents.rir_measure.ablations --out DIR`.

Trains every team of the grid, one after the other, in directories of DIR by what is changed of the
team "base": what a team sees, w^MSE, the sign of the perimeter, the terms of the reward, kappa and
rho (tables 2, 3, 5, 6, 7 and 10 of Yu et al., IJCAI 2023). Teams that are alike are trained once.
The same command goes on after an interruption, and makes `ablations.csv` anew from what has been
finished: the best validation of every team, with WCR at the lambdas of table 4. Options of
`av_envs.agents.rir_measure.train` may follow, such as --size, --env or --steps.

--learns policy trains in silence, for coverage and hull alone, which takes a fifth of the time;
--learns generator is `av_envs.agents.rir_measure.pretrain` with its options. Each has the groups
that it depends on.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from av_envs.agents.rir_measure import pretrain, train
from av_envs.agents.rir_measure.networks.encoders import VISIONS
from av_envs.agents.rir_measure.presets import TABLE_6
from av_envs.paths import path_argument
from av_envs.rir_measure.metrics.episode import wcr
from av_envs.whole_files import write_whole

LAMBDAS = (0.1, 0.5, 0.9)
BASE = {"preset": "macma"}
Changes = Mapping[str, str]  # options of the training command, without dashes
GRID: dict[str, dict[str, Changes]] = {
    "vision": {name: {"vision": name} for name in VISIONS},
    "mse_share": {name: {"mse-share": name} for name in ("0", "0.5", "1")},
    "alpha_psi": {"1": {"preset": "zeta", "alpha-psi": "1"}, "-1": {"preset": "zeta_psi"}},
    "reward": {name: {"preset": name} for name in TABLE_6},
    "kappa": {name: {"kappa": name} for name in ("0", "2", "4", "8", "16")},
    "rho": {name: {"rho": name} for name in ("-1", "0", "0.2", "0.4", "0.6", "0.8", "1")},
}
# Another way to say what the base does anyway.
USUAL = (
    {"preset": "macma"}, {"preset": "zeta_psi_phi"}, {"vision": "rgbd"}, {"kappa": "2"},
    {"rho": "-1"},
)  # fmt: skip


@dataclass(frozen=True)
class Learner:
    """What learns in a grid.

    module  that is run from the command line
    train   its command, which says how it ended
    base    options of the base
    groups  of `GRID` that it depends on
    score   column of its curve, the more the better
    """

    module: str
    train: Callable[[list[str]], int]
    base: Mapping[str, str]
    groups: tuple[str, ...]
    score: str
    flags: tuple[str, ...] = ()


PACKAGE = "av_envs.agents.rir_measure"
WALKS, HEARS = ("vision", "alpha_psi", "reward", "rho"), ("vision", "mse_share", "kappa")
LEARNERS = {
    "team": Learner(f"{PACKAGE}.train", train.main, BASE, tuple(GRID), "wcr"),
    "policy": Learner(f"{PACKAGE}.train", train.main, BASE, WALKS, "cr_mean", ("--silent",)),
    "generator": Learner(f"{PACKAGE}.pretrain", pretrain.main, {}, HEARS, "xi"),
}


def directory_of(changes: Changes) -> str:
    """Name of the run in which only that is changed."""
    if not changes or changes in USUAL:
        return "base"
    return "_".join(f"{name}={value}" for name, value in changes.items())


def words_of(learner: Learner, changes: Changes, more: list[str]) -> list[str]:
    """For its command; what is changed comes last and so counts more."""
    changed = {} if directory_of(changes) == "base" else changes
    usual = {name: value for name, value in learner.base.items() if name not in changed}

    def said(options: Changes) -> list[str]:
        return [f"--{name}={value}" for name, value in options.items()]

    return [*learner.flags, *said(usual), *more, *said(changed)]


def runs(groups: list[str]) -> Iterator[tuple[str, str, Changes]]:
    """Group, name in it and changes of every team."""
    for group in groups:
        for name, changes in GRID[group].items():
            yield group, name, changes


def row_of(group: str, name: str, folder: Path, score: str) -> dict[str, str | float]:
    """The best validation of a run, for the table; with WCR where it says CR and PE."""
    with (folder / "curve.csv").open(newline="") as file:
        validations = list(csv.DictReader(file))
    best = max(validations, key=lambda row: float(row[score]))
    row: dict[str, str | float] = {"group": group, "team": name, **best}
    if score == "wcr":
        del row["wcr"]
        cr, pe = float(best["cr"]), float(best["pe"])
        row |= {f"wcr_{lam:g}": round(float(wcr(cr, pe, lam)), 4) for lam in LAMBDAS}
    return row


def summarise(out: Path, groups: list[str], score: str) -> None:
    """Write `ablations.csv` of the runs that have a validation."""
    rows = [
        row_of(group, name, out / directory_of(changes), score)
        for group, name, changes in runs(groups)
        if (out / directory_of(changes) / "curve.csv").exists()
    ]
    if rows:
        text = StringIO()
        table = csv.DictWriter(text, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
        write_whole(out / "ablations.csv", text.getvalue().encode())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.rir_measure.ablations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=path_argument, required=True, help="directory of all runs")
    parser.add_argument("--learns", choices=LEARNERS, default="team")
    parser.add_argument("--groups", nargs="+", choices=GRID, help="default: all it depends on")
    parser.add_argument("--list", action="store_true", help="print the commands, train nothing")
    given, more = parser.parse_known_args(argv)
    learner = LEARNERS[given.learns]
    groups = given.groups or list(learner.groups)
    for group in groups:
        if group not in learner.groups:
            allowed = ", ".join(learner.groups)
            parser.error(f"--learns {given.learns} does not depend on {group}, only on {allowed}")
    return train_all(learner, groups, given.out, more, given.list)


def train_all(
    learner: Learner, groups: list[str], out: Path, more: list[str], only_list: bool
) -> int:
    """One run after the other, until one fails; its exit code."""
    for folder in dict.fromkeys(directory_of(changes) for *_, changes in runs(groups)):
        changes = next(c for *_, c in runs(groups) if directory_of(c) == folder)
        words = [*words_of(learner, changes, more), f"--out={out / folder}"]
        if only_list:
            print("python -m", learner.module, *words)
            continue
        if (out / folder / "config.json").exists():
            words.append("--resume")
        status = learner.train(words)
        if status:
            return status
        summarise(out, groups, learner.score)
    return 0


if __name__ == "__main__":
    sys.exit(main())
