"""Comparison of an episode in a file with the same one played again.

Machines that compile the same kernels compute the same bits. Others round audio differently in the
sixth digit or so; scores in dB then differ by thousandths, and a sum over steps by as many as
there are steps.
"""

from enum import Enum
from typing import Any

from av_envs.benchmarks.results.files import canonical
from av_envs.benchmarks.suites.suite import Suite

TOLERANCE = 1e-3  # of a number of one step or of a mean, in its unit
SERIES_TOLERANCE = 1e-2 + TOLERANCE  # the series has two digits
EXACT = ("group", "episode", "scene", "error")
DECISIONS = ("length", "replay")  # what follows from what the agent did


class Comparison(Enum):
    """SAME to the last digit, DOUBTFUL where other rounding may explain it, or DIFFERENT."""

    SAME = "same"
    DOUBTFUL = "doubtful"
    DIFFERENT = "different"


def compare_records(
    claimed: dict[str, Any], played: dict[str, Any], suite: Suite, *, other_rounding: bool
) -> tuple[Comparison, str]:
    """How two records of an episode compare, and the first thing in which they differ.

    other_rounding  whether they come from machines that round differently; between others, every
                    difference counts
    """
    if canonical(claimed) == canonical(played):
        return Comparison.SAME, ""
    for key in EXACT:
        if canonical(claimed[key]) != canonical(played[key]):
            return Comparison.DIFFERENT, f"the {key} is another"
    for key in DECISIONS:
        if canonical(claimed[key]) != canonical(played[key]):
            kind = Comparison.DOUBTFUL if other_rounding else Comparison.DIFFERENT
            return kind, f"the {key} is another"
    words = _first_difference(claimed, played, suite, 0.0, 0.0)
    if not other_rounding:
        return Comparison.DIFFERENT, words
    beyond = _first_difference(claimed, played, suite, TOLERANCE, SERIES_TOLERANCE)
    return (Comparison.DIFFERENT, beyond) if beyond else (Comparison.DOUBTFUL, words)


def _first_difference(
    claimed: dict[str, Any],
    played: dict[str, Any],
    suite: Suite,
    tolerance: float,
    series_tolerance: float,
) -> str:
    for metric in suite.metrics:
        one, other = claimed["metrics"][metric.name], played["metrics"][metric.name]
        steps = played["length"] if metric.reduce == "sum" else 1
        if not _alike(one, other, tolerance * steps):
            return f"{metric.name} is {other}, the file says {one}"
    if len(claimed["series"]) != len(played["series"]):
        return "the series is another"
    for one, other in zip(claimed["series"], played["series"], strict=True):
        if not _alike(one, other, series_tolerance):
            return "the series is another"
    return ""


def _alike(claimed: float | None, played: float | None, tolerance: float) -> bool:
    if claimed is None or played is None:
        return claimed is played
    return abs(claimed - played) <= tolerance
