"""How much of a gap refiners close: `python -m av_envs.agents.refinement.evaluate --refiner FILE`.

Pairs of tiers in houses of an unseen split; errors are those of `metrics.py`. The gap is between
the cheap tier and the truth, down to the floor, which is another rendering of the truth (other
rays; in T4 another recording). Beside each refiner stand the cheap tier itself, one gain per ear
and band, and with --rays the cheap tier with more rays: from these comes at how many rays tracing
would be as good, and from how many responses per source on it would be cheaper. Times are those
of one core.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from av_envs.acoustics import TraceConfig
from av_envs.acoustics.bank import SourceTracer
from av_envs.agents.intervals import Interval
from av_envs.agents.refinement.band_eq import BandEq
from av_envs.agents.refinement.flow import SOLVERS
from av_envs.agents.refinement.metrics import errors, gap_closed, means
from av_envs.agents.refinement.pairs import (
    OTHER_RAYS,
    PairConfig,
    add_pair_options,
    heard_pairs,
    house_of,
    pairs_of,
    places_in,
)
from av_envs.agents.refinement.refiner import SHIPPED, SOLVER, STEPS, Refined
from av_envs.agents.refinement.tiers import RAYS, tier_acoustics
from av_envs.conventions import SAMPLE_RATE
from av_envs.options import positive_int
from av_envs.paths import path_argument

CHEAP, FLOOR = "cheap", "floor"
SHOWN = ("levels", "mag", "env", "t60", "edt", "c50", "ild")
TIMED = 4  # sources traced to see how long that takes

Row = dict[str, float]
Refine = Callable[[np.ndarray, np.ndarray, None], np.ndarray]


class Judged(NamedTuple):
    """What pairs sound like in one way.

    rows     errors of each pair
    seconds  per response that refinement takes
    """

    rows: list[Row]
    seconds: float


def judge(
    config: PairConfig, refiners: Mapping[str, Refine], rays: Sequence[int]
) -> tuple[dict[str, Judged], np.ndarray]:
    """Errors by what was refined or traced, and the house of each pair."""
    rows: dict[str, list[Row]] = {}
    spent, houses = dict.fromkeys(refiners, 0.0), []
    for house in range(config.houses):
        scene = house_of(config, house)
        places = places_in(config, house, len(scene.graph))
        cheap = tier_acoustics(scene, tier=config.cheap, seed=OTHER_RAYS)
        truth = tier_acoustics(scene, tier=config.truth)
        others = {FLOOR: tier_acoustics(scene, tier=config.truth, seed=OTHER_RAYS)}
        for n in rays:
            others[f"{n} rays"] = tier_acoustics(scene, tier=config.cheap, rays=n, seed=OTHER_RAYS)
        for heard in pairs_of(scene, places, cheap, truth):
            _, *where = heard.place
            signals = {CHEAP: heard.cheap}
            for name, refine in refiners.items():
                begun = time.process_time()
                signals[name] = refine(heard.cheap, heard.pose, None)
                spent[name] += time.process_time() - begun
            signals |= {name: other.rir(*where) for name, other in others.items()}
            for name, signal in signals.items():
                rows.setdefault(name, []).append(errors(signal, heard.truth, SAMPLE_RATE))
            houses.append(house)
    found = {name: Judged(kept, spent.get(name, 0.0) / len(houses)) for name, kept in rows.items()}
    return found, np.array(houses)


def gap_of(found: Mapping[str, Judged], name: str, houses: np.ndarray) -> Interval:
    """Share of the gap in levels that is closed, and its interval over houses."""
    before, after, floor = (
        np.array([row["levels"] for row in found[which].rows]) for which in (CHEAP, name, FLOOR)
    )
    return gap_closed(before, after, floor, houses)


def seconds_per_source(config: PairConfig, rays: int) -> float:
    """What tracing one source to all nodes of a house takes on one core."""
    scene = house_of(config, 0)
    tracer = SourceTracer(scene, TraceConfig(n_rays=rays))
    tracer.trace(0, workers=1)  # what all sources share, and compilation
    begun = time.process_time()
    for source in range(1, 1 + TIMED):
        tracer.trace(source, workers=1)
    return (time.process_time() - begun) / TIMED


def rays_as_good(error: float, by_rays: Mapping[int, float]) -> float | None:
    """Rays at which tracing has that error, on a straight line between logarithms.

    None: more than the most rays, or fewer than the fewest, that were traced.
    """
    rays = np.array(sorted(by_rays))
    values = np.log([by_rays[n] for n in rays])
    if not values.min() <= np.log(error) <= values.max():
        return None
    order = np.argsort(values)
    return float(np.exp(np.interp(np.log(error), values[order], np.log(rays)[order])))


def worth(config: PairConfig, found: Mapping[str, Judged], name: str, rays: Sequence[int]) -> str:
    """One sentence: refinement against tracing more rays, to the same error of levels."""
    mean = {which: means(found[which].rows)["levels"] for which in found}
    own = RAYS[config.cheap]
    by_rays = {own: mean[CHEAP], **{n: mean[f"{n} rays"] for n in rays}}
    needed = rays_as_good(mean[name], by_rays)
    if needed is None:
        return f"{name}: as good as no number of rays from {min(by_rays)} to {max(by_rays)}"
    times = {n: seconds_per_source(config, n) for n in by_rays}
    counts = np.array(sorted(times))
    tracing = float(np.interp(needed, counts, [times[n] for n in counts]))
    saved, refining = tracing - times[own], found[name].seconds
    return (
        f"{name}: as good as {needed:,.0f} rays, which take {1000 * tracing:.0f} ms per source; "
        f"{own} rays take {1000 * times[own]:.0f} ms, refining {1000 * refining:.1f} ms "
        f"per response: cheaper below {saved / refining:.1f} responses per source"
    )


def table(found: Mapping[str, Judged], houses: np.ndarray) -> str:
    """Markdown: a row for each way."""
    lines = [f"| | gap closed | {' | '.join(SHOWN)} | ms |", "|---" * (len(SHOWN) + 3) + "|"]
    for name, (rows, seconds) in found.items():
        mean = means(rows)
        share, low, high = gap_of(found, name, houses)
        gap = f"{share:.2f} ({low:.2f} to {high:.2f})" if name not in (CHEAP, FLOOR) else ""
        cells = [f"{mean[error]:.2f}" for error in SHOWN]
        took = f"{1000 * seconds:.1f}" if seconds else ""
        lines.append(f"| {name} | {gap} | {' | '.join(cells)} | {took} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.refinement.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(SHIPPED)
    parser.add_argument("--refiner", nargs="*", default=[], help=f"{names}, or files")
    add_pair_options(parser)
    parser.add_argument("--fit-houses", type=positive_int, default=4, help="for gains per band")
    parser.add_argument("--solver", default=SOLVER, choices=SOLVERS)
    parser.add_argument(
        "--steps", type=positive_int, help=f"default: {STEPS}, 1 of what was trained by regression"
    )
    parser.add_argument(
        "--rays", type=int, nargs="*", default=[], help="of the cheap tier, to compare with"
    )
    parser.add_argument("--json", type=path_argument, help="write the figures into this file, too")
    given = parser.parse_args(argv)
    try:
        config = PairConfig(
            given.cheap, given.truth, given.split, given.houses, given.sources, given.receivers
        )
        if given.rays and given.cheap not in RAYS:
            raise ValueError(f"tier {given.cheap} has no rays; give no --rays")
        found, houses = judge(config, _refiners(given, config), given.rays)
        told = [worth(config, found, name, given.rays) for name in given.refiner if given.rays]
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    print("\n".join([table(found, houses), *told]))
    if given.json:
        text = json.dumps(_figures(found, houses), indent=1) + "\n"
        given.json.write_text(text, encoding="utf-8")
    return 0


def _refiners(given: argparse.Namespace, config: PairConfig) -> dict[str, Refine]:
    torch.set_num_threads(1)
    fit = replace(config, split="train", houses=given.fit_houses)
    refiners: dict[str, Refine] = {"gain per band": BandEq.fitted(heard_pairs(fit)).refine}
    for name in given.refiner:
        refiners[name] = Refined(name, given.solver, given.steps).refine
    return refiners


def _figures(found: Mapping[str, Judged], houses: np.ndarray) -> dict[str, Any]:
    return {
        name: {**means(rows), "gap_closed": gap_of(found, name, houses), "seconds": seconds}
        for name, (rows, seconds) in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
