"""Solvers by evaluations: `python -m av_envs.agents.refinement.ablate --refiner FILE --out DIR`.

DIR gets `solvers.md` and `solvers.png`: the error on pairs of unseen houses (levels in dB, or RMS
of a waveform) of every solver that reaches a number of evaluations of the network (NFE), 1 to
--most. Several refiners, such as those of other options of `train.py`, get a table each, and the
figure shows the first. It is the figure of solvers of Liang, Song, Xu et al., "pi-AVAS", ICCV
2025, supplementary.
"""

import argparse
import sys
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image

from av_envs.agents.line_chart import LineChart, round_levels
from av_envs.agents.refinement.flow import SOLVERS
from av_envs.agents.refinement.pairs import (
    PairConfig,
    Pairs,
    add_pair_options,
    ends_of,
    flow_pairs,
)
from av_envs.agents.refinement.refiner import SHIPPED, Refined, is_regression
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.vision.drawing import Colour
from av_envs.whole_files import replacing, write_whole

COLOURS: dict[str, Colour] = {
    "euler": (20, 90, 180),
    "midpoint": (200, 90, 20),
    "heun": (20, 140, 80),
    "paper_midpoint": (130, 60, 160),
}
LINES = 5  # of the grid

Errors = dict[str, dict[int, float]]  # by solver and NFE


def errors_by_solver(refiner: Refined, pairs: Pairs, most: int) -> Errors:
    """Mean error of every solver at every number of evaluations that it can have, up to `most`."""
    found: Errors = {name: {} for name in SOLVERS}
    for name, solver in SOLVERS.items():
        for evaluations in range(solver.evaluations, most + 1, solver.evaluations):
            ends = ends_of(refiner, pairs, name, evaluations // solver.evaluations)
            found[name][evaluations] = float(refiner.error(ends, pairs.end).mean())
    return found


def table(errors: Errors, before: float) -> str:
    """Markdown: a row for each number of evaluations."""
    lines = [f"| NFE | {' | '.join(errors)} |", "|---" * (len(errors) + 1) + "|"]
    lines.append(f"| 0 |{f' {before:.3f} |' * len(errors)}")
    for evaluations in sorted({n for found in errors.values() for n in found}):
        cells = [f"{found[evaluations]:.3f}" if evaluations in found else "" for found in
                 errors.values()]  # fmt: skip
        lines.append(f"| {evaluations} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(errors: Mapping[str, Mapping[int, float]]) -> np.ndarray:
    """(400, 640, 3) uint8: error against evaluations, a line for each solver."""
    lines = {name: [sorted(found.items())] for name, found in errors.items()}
    values = [value for found in errors.values() for value in found.values()]
    most = max(n for found in errors.values() for n in found)
    chart = LineChart(
        "error on unseen houses", "evaluations of the network", (1, most), range(1, most + 1),
        round_levels(min(values), max(values), LINES), dots=True,
    )  # fmt: skip
    return chart.draw(lines, COLOURS)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.refinement.ablate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--refiner", nargs="+", required=True, help=f"{', '.join(SHIPPED)}, files")
    parser.add_argument("--out", type=path_argument, required=True, help="directory")
    add_pair_options(parser)
    parser.add_argument("--most", type=positive_int, default=10, help="evaluations")
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    parts, drawn = [], None
    try:
        config = PairConfig(
            given.cheap, given.truth, given.split, given.houses, given.sources, given.receivers
        )
        for name in given.refiner:
            refiner = Refined(name)
            if is_regression(refiner.header):
                raise ValueError(f"{name}: was trained by regression, which no solver follows")
            pairs = flow_pairs(refiner, config)
            errors = errors_by_solver(refiner, pairs, given.most)
            before = float(refiner.error(pairs.start, pairs.end).mean())
            parts.append(f"{name}\n\n{table(errors, before)}")
            drawn = errors if drawn is None else drawn
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    text = "\n".join(parts)
    print(text, end="")
    write_whole(given.out / "solvers.md", text.encode())
    with replacing(given.out / "solvers.png") as draft:
        Image.fromarray(figure(drawn or {})).quantize(32).save(draft, format="PNG", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
