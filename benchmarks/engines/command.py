"""Acoustic engines compared, measured and told."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.engines.figures import (
    RAY_COUNTS,
    at_equal_scatter,
    difference,
    figures,
    joined,
    native_cost,
    rlr_cost,
    summary,
)
from av_envs.benchmarks.engines.heard import NAMES, installed, open_engine
from av_envs.benchmarks.engines.rooms import Pair, draw_pairs, flat, house, shoebox
from av_envs.benchmarks.options.engines import NATIVE_RAYS
from av_envs.benchmarks.results.provenance import cpu_model
from av_envs.benchmarks.speed.command import load_average
from av_envs.progress import progress_bar
from av_envs.scene import Scene

BOX = (0.2, 0.1)  # absorption and scattering of the shoebox
COST_PAIRS = 4
COLUMNS = (
    ("t20", "T20 s", "{:.3f}"),
    ("t30", "T30 s", "{:.3f}"),
    ("c50", "C50 dB", "{:.1f}"),
    ("drr", "DRR dB", "{:.1f}"),
    ("level_visible", "seen dB", "{:.1f}"),
    ("level_occluded", "hidden dB", "{:.1f}"),
    ("ild", "ILD dB", "{:.1f}"),
    ("delay_most", "delay", "{:.1f}"),
)
DIFFERENCES = (
    ("T20 %", "t20", "t20_spread"),
    ("T30 %", "t30", "t30_spread"),
    ("C50 dB", "c50", "c50_spread"),
    ("DRR dB", "drr", "drr_spread"),
    ("ILD dB", "ild", "ild_spread"),
    ("delay, samples (median, most)", "delay", "delay_most"),
)


def compare(scenes: Sequence[tuple[Scene, Sequence[Pair]]], rays: dict[str, int]) -> dict[str, Any]:
    """Figures of every engine over all scenes, and what each differs from the built-in one."""
    visible = np.array([pair.visible for _, pairs in scenes for pair in pairs])
    found = {}
    for name in NAMES:
        engines = [open_engine(name, scene, rays) for scene, _ in scenes]
        if None not in engines:
            work = list(zip(engines, scenes, strict=True))
            parts = [figures(engine, pairs) for engine, (_, pairs) in progress_bar(work, desc=name)]
            found[name] = joined(parts)
    return {
        "pairs": len(visible),
        "visible": int(visible.sum()),
        "medians": {name: summary(one, visible) for name, one in found.items()},
        "differences": {
            name: difference(found["native"], one, visible)
            for name, one in found.items()
            if name != "native"
        },
    }


def costs(scene: Scene, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Scatter and CPU time per response of both engines, and their ratio at equal scatter."""
    ours = native_cost(scene, pairs, NATIVE_RAYS)
    if installed("RLR") is None:
        return {"native": ours}
    theirs = [rlr_cost(scene, pairs, n_rays) for n_rays in RAY_COUNTS]
    return {"native": ours, "RLR": theirs, "equal": at_equal_scatter(ours, theirs)}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    rays = {
        "native": arguments.native_rays,
        "RLR": arguments.rays,
        "pyroomacoustics": arguments.rays,
    }
    material = flat(*arguments.flat) if arguments.flat else None
    box = shoebox(flat(*BOX))
    houses = [house(index, material) for index in range(arguments.houses)]
    drawn = [(scene, draw_pairs(scene, arguments.pairs)) for scene in houses]
    box_pairs = draw_pairs(box, arguments.pairs)
    return {
        "load_before": load_average(),
        "cpu": cpu_model(),
        "engines": {name: installed(name) for name in NAMES},
        "rays": rays,
        "materials": f"all {arguments.flat}" if arguments.flat else "the dwellings' own",
        "shoebox": compare([(box, box_pairs)], rays),
        "houses": compare(drawn, rays),
        "costs": costs(houses[0], drawn[0][1][:COST_PAIRS]),
    }


def table(result: dict[str, Any]) -> str:
    """The result for a terminal, in Markdown."""
    lines = [f"{result['cpu']}, load {result['load_before'] or 0:.1f}; one thread per engine"]
    for name, version in result["engines"].items():
        rays = result["rays"][name]
        lines.append(f"- {name} {version}, {rays} rays" if version else f"- {name}: absent")
    titles = {
        "shoebox": f"Shoebox, absorption {BOX[0]}, scattering {BOX[1]}",
        "houses": f"Dwellings, materials: {result['materials']}",
    }
    for part, title in titles.items():
        compared = result[part]
        lines += ["", f"## {title}: {compared['pairs']} pairs, {compared['visible']} in sight", ""]
        lines += _medians(compared["medians"])
        for name, differences in compared["differences"].items():
            lines += ["", *_differences(name, differences)]
    return "\n".join([*lines, "", *_costs(result["costs"])])


def _medians(medians: dict[str, dict[str, float]]) -> list[str]:
    header = " | ".join(title for _, title, _ in COLUMNS)
    lines = [f"| median over pairs | {header} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, one in medians.items():
        cells = " | ".join(form.format(one[key]) for key, _, form in COLUMNS)
        lines.append(f"| {name} | {cells} |")
    return lines


def _differences(name: str, found: dict[str, float]) -> list[str]:
    lines = [f"| {name} minus native | median | median of the sizes |", "|---|---|---|"]
    lines += [f"| {title} | {found[a]:+.1f} | {found[b]:.1f} |" for title, a, b in DIFFERENCES]
    bands = [key.rpartition("_")[2] for key in found if key.startswith("level_visible_")]
    lines += ["", f"| level, dB | {' | '.join(bands)} |", "|---" * (len(bands) + 1) + "|"]
    for kind, told in (("visible", "in sight"), ("occluded", "hidden")):
        cells = " | ".join(f"{found[f'level_{kind}_{band}']:+.1f}" for band in bands)
        lines.append(f"| {told} | {cells} |")
    lines.append("(medians per octave band; `mean`: of the pairs' summed energies at 1 kHz)")
    return lines


def _costs(found: dict[str, Any]) -> list[str]:
    rows = [("native", found["native"]), *(("RLR", one) for one in found.get("RLR", ()))]
    lines = [
        "| engine | rays | scatter of band levels, dB | CPU ms per response |",
        "|---|---|---|---|",
    ]
    for name, one in rows:
        lines.append(f"| {name} | {one['rays']} | {one['scatter_db']:.2f} | {one['ms']:.2f} |")
    if "equal" in found:
        equal = found["equal"]
        lines += [
            "",
            f"RLR at our scatter: {equal['ms']:.0f} ms per response, "
            f"{equal['times_faster']:.0f} times what the built-in engine takes",
        ]
    return lines


def carry_out(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    if arguments.native_rays % 4:
        raise UserError(f"--native-rays must be a multiple of 4, got {arguments.native_rays}")
    result = measure(arguments)
    print(json.dumps(result, indent=1) if arguments.json else table(result))
