"""The paper's ablations: `python -m av_envs.agents.rir_measure.ablations --out DIR`.

Trains every team of the grid, one after the other, in directories of DIR by what is changed of the
team "base": what a team sees, w^MSE, the sign of the perimeter, the terms of the reward, kappa and
rho (tables 2, 3, 5, 6, 7 and 10 of Yu et al., IJCAI 2023). Teams that are alike are trained once.
The same command goes on after an interruption, and makes `ablations.csv` anew from what has been
finished: the best validation of every team, with WCR at the lambdas of table 4. Options of
`av_envs.agents.rir_measure.train` may follow, such as --size, --env or --steps.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from av_envs.agents.rir_measure.networks.encoders import VISIONS
from av_envs.agents.rir_measure.presets import TABLE_6
from av_envs.agents.rir_measure.train import main as train
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


def directory_of(changes: Changes) -> str:
    """Name of the run in which only that is changed."""
    if not changes or changes in USUAL:
        return "base"
    return "_".join(f"{name}={value}" for name, value in changes.items())


def words_of(changes: Changes) -> list[str]:
    """For the training command."""
    wanted = BASE if directory_of(changes) == "base" else {**BASE, **changes}
    return [f"--{name}={value}" for name, value in wanted.items()]


def runs(groups: list[str]) -> Iterator[tuple[str, str, Changes]]:
    """Group, name in it and changes of every team."""
    for group in groups:
        for name, changes in GRID[group].items():
            yield group, name, changes


def row_of(group: str, name: str, folder: Path) -> dict[str, str | float]:
    """The best validation of a run, for the table."""
    with (folder / "curve.csv").open(newline="") as file:
        validations = list(csv.DictReader(file))
    best = max(validations, key=lambda row: float(row["wcr"]))
    cr, pe = float(best["cr"]), float(best["pe"])
    scores = {f"wcr_{lam:g}": round(float(wcr(cr, pe, lam)), 4) for lam in LAMBDAS}
    return {"group": group, "team": name, "update": best["update"], "cr": cr, "pe": pe, **scores}


def summarise(out: Path, groups: list[str]) -> None:
    """Write `ablations.csv` of the runs that have a validation."""
    rows = [
        row_of(group, name, out / directory_of(changes))
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
    parser.add_argument("--groups", nargs="+", choices=GRID, default=list(GRID))
    parser.add_argument("--list", action="store_true", help="print the commands, train nothing")
    given, more = parser.parse_known_args(argv)
    for folder in dict.fromkeys(directory_of(changes) for *_, changes in runs(given.groups)):
        changes = next(c for *_, c in runs(given.groups) if directory_of(c) == folder)
        words = [*words_of(changes), f"--out={given.out / folder}", *more]
        if given.list:
            print("python -m av_envs.agents.rir_measure.train", *words)
            continue
        if (given.out / folder / "config.json").exists():
            words.append("--resume")
        status = train(words)
        if status:
            return status
        summarise(given.out, given.groups)
    return 0


if __name__ == "__main__":
    sys.exit(main())
