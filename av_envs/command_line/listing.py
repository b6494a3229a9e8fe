"""`av-envs list`: what there is to play, who plays it, and where."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from av_envs.arguments import parse
from av_envs.registration import MEASURING, SEPARATION, VARIANTS

TASKS = {SEPARATION: "separating", MEASURING: "measuring"}
AGENTS = {  # the tasks of the packages that agents are taken from
    "av_envs.baselines.separation": "separating",
    "av_envs.baselines.rir_measure": "measuring",
    "av_envs.agents.separation": "separating",
    "av_envs.agents.rir_measure": "measuring",
}
SUITES = "av_envs.benchmarks.suites.suite"
Rows = list[tuple[str, ...]]


def environments() -> Rows:
    """Id, task, and the options in which a variant differs."""
    rows = []
    for env_id, (entry_point, options) in VARIANTS.items():
        told = ", ".join(f"{name}={value!r}" for name, value in options.items())
        rows.append((env_id, TASKS[entry_point], told or "as it comes"))
    return rows


def agents() -> Rows:
    """Import path, task, and what each says of itself."""
    rows = []
    for module, task in AGENTS.items():
        try:
            package = import_module(module)
        except ModuleNotFoundError as error:
            rows.append((f"{module}:...", task, f"needs {error.name}; see `av-envs doctor`"))
            continue
        for name in package.__all__:
            offered = getattr(package, name)
            if callable(getattr(offered, "act", None)):  # others are parts of agents
                told = (offered.__doc__ or "").strip().partition("\n")[0]
                rows.append((f"{module}:{name}", task, told))
    return rows


def suites() -> Rows:
    """Name, environment, number of episodes, and the score that ranks."""
    known = import_module(SUITES).SUITES
    return [
        (name, suite.env_id, f"{len(suite.episodes)} episodes", suite.primary)
        for name, suite in sorted(known.items())
    ]


LISTS: dict[str, Callable[[], Rows]] = {
    "environments": environments,
    "agents": agents,
    "suites": suites,
}


def main(arguments: Sequence[str]) -> int:
    """Print one of the lists as columns."""
    parser = argparse.ArgumentParser(description="List the environments, or something else.")
    parser.add_argument(
        "what", nargs="?", choices=LISTS, default="environments", help="default: environments"
    )
    rows = LISTS[parse(parser, arguments).what]()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), file=sys.stdout)
    return 0
