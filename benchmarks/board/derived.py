"""Metrics of a row that come from its other means, not from episodes: no suite names them."""

from collections.abc import Callable
from dataclasses import dataclass

from av_envs.benchmarks.suites.suite import Suite
from av_envs.rir_measure.metrics.episode import wcr_of_means


@dataclass(frozen=True)
class Derived:
    """A number per row.

    after    the metric beside which it is shown; suites without it have no such number
    sources  metrics whose means over all episodes it is computed from
    compute  from these means and the environment's options
    """

    name: str
    after: str
    sources: tuple[str, ...]
    compute: Callable[..., float]


DERIVED = (
    # What the paper calls WCR: its tables hold it for the averages of CR and PE.
    Derived(
        "wcr_agg",
        after="wcr",
        sources=("cr", "pe"),
        compute=lambda cr, pe, options: wcr_of_means(cr, pe, options["wcr_lambda"]),
    ),
)


def derived(suite: Suite, means: dict[str, float | None]) -> dict[str, float | None]:
    """The numbers that a row of the suite has beside its means; None where one is lacking."""
    numbers = {}
    for one in DERIVED:
        if one.after in suite.metric_names:
            values = [means.get(name) for name in one.sources]
            lacking = any(value is None for value in values)
            numbers[one.name] = None if lacking else one.compute(*values, suite.env_kwargs)
    return numbers


def with_derived(suite: Suite) -> tuple[str, ...]:
    """Names of all numbers of a row in the order in which they are shown."""
    names: list[str] = []
    for name in suite.metric_names:
        names += [name, *(one.name for one in DERIVED if one.after == name)]
    return tuple(names)
