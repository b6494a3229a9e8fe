"""Compare objectives over seeds: `python -m av_envs.agents.localization.compare RUNS --out DIR`.

RUNS are directories of finished or unfinished runs of `train.py`, which differ in --association
and --seed and in nothing else. DIR gets `comparison.md`, a table with mean and standard
deviation over seeds of what the last validation of each found, and `comparison.png`, LE against
the sequences seen: a line for each seed, a colour for each objective.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from av_envs.agents.line_chart import LineChart, round_levels
from av_envs.agents.localization.losses import ASSOCIATIONS
from av_envs.paths import path_argument
from av_envs.vision.drawing import Colour
from av_envs.whole_files import replacing, write_whole

MEASURES = ("le", "folded_le", "confusions", "lr", "lp", "lf", "mota", "ids")
DIFFER = {"association", "seed", "hnet"}  # options in which runs that are compared may differ
COLOURS: dict[str, Colour] = {
    "ordered": (150, 150, 150),
    "pit": (200, 90, 20),
    "exact": (20, 90, 180),
    "hnet": (20, 140, 80),
}
LINES = 6  # of the grid, about

Curve = list[dict[str, float]]


def curves_of(runs: Sequence[Path]) -> dict[str, list[Curve]]:
    """Curves of all seeds by association; ValueError for runs that cannot be compared."""
    found: dict[str, list[Curve]] = defaultdict(list)
    first: dict[str, object] = {}
    for run in runs:
        options = json.loads((run / "config.json").read_text(encoding="utf-8"))
        same = {name: value for name, value in options.items() if name not in DIFFER}
        first = first or same
        other = sorted(name for name in same if same[name] != first.get(name))
        if other:
            raise ValueError(f"{run}: was made with other {', '.join(other)} than {runs[0]}")
        with (run / "curve.csv").open(newline="", encoding="utf-8") as file:
            rows = [{name: float(x) for name, x in row.items()} for row in csv.DictReader(file)]
        if not rows:
            raise ValueError(f"{run / 'curve.csv'}: has no row")
        found[options["association"]].append(rows)
    return {name: found[name] for name in ASSOCIATIONS if name in found}


def table(curves: Mapping[str, Sequence[Curve]]) -> str:
    """Markdown: a row for each association, mean and standard deviation over its seeds."""
    lines = [f"| association | seeds | sequences | {' | '.join(MEASURES)} |"]
    lines.append("|---" * (3 + len(MEASURES)) + "|")
    for name, seeds in curves.items():
        last = [curve[-1] for curve in seeds]
        seen = min(row["sequences"] for row in last)
        cells = []
        for measure in MEASURES:
            values = np.array([row[measure] for row in last])
            spread = f" ± {values.std(ddof=1):.2f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.2f}{spread}")
        lines.append(f"| {name} | {len(seeds)} | {seen:,.0f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(curves: Mapping[str, Sequence[Curve]]) -> np.ndarray:
    """(400, 640, 3) uint8: LE in degrees against sequences."""
    lines = {
        name: [[(row["sequences"], row["le"]) for row in curve] for curve in seeds]
        for name, seeds in curves.items()
    }
    points = [point for several in lines.values() for line in several for point in line]
    most = max(seen for seen, _ in points)
    chart = LineChart(
        "LE, degrees, on what is held out", "sequences", (0, most), np.linspace(0, most, 5),
        round_levels(0, max(error for _, error in points), LINES),
    )  # fmt: skip
    return chart.draw(lines, COLOURS)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.localization.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", type=path_argument, help="directories of runs")
    parser.add_argument("--out", type=path_argument, required=True, help="directory")
    given = parser.parse_args(argv)
    try:
        curves = curves_of(given.runs)
    except (ValueError, KeyError, OSError) as mistake:
        parser.error(str(mistake))
    text = table(curves)
    print(text, end="")
    write_whole(given.out / "comparison.md", text.encode())
    from PIL import Image  # comes with tensorboard, of the extra [agents]

    with replacing(given.out / "comparison.png") as draft:
        Image.fromarray(figure(curves)).quantize(32).save(draft, format="PNG", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
