"""What is played, with which seeds, and what counts.

Published suites are the files of `benchmarks/published`, one JSON each. They name every option
of their environment as it was on the day of publication, so that neither a default that changes
nor a new option can touch them: what is added later is played with `LATER_OPTIONS`. A suite never
changes: an edited one gets a new version, and the hash in every result file tells the two apart.

Other suites are files of the same form, which commands are given by path: `add_suite`.
"""

import hashlib
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym

from av_envs.benchmarks.command_line import UserError
from av_envs.paths import suffix_of, user_path
from av_envs.registration import MEASURING, SEPARATION, VARIANTS

PUBLISHED = Path(__file__).parent / "published"
REDUCTIONS = ("mean", "sum", "final")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # of a suite; result files are named after it

# Options that environments got after suites were published, by entry point: the value with which
# a suite that does not know the option plays as it did before.
LATER_OPTIONS: dict[str, dict[str, Any]] = {
    SEPARATION: {"starts_facing": "any"},
    MEASURING: {"starts_facing": "any"},
}

# Likewise, options of the backend that a suite names.
LATER_BACKEND_OPTIONS: dict[str, dict[str, Any]] = {"traced": {"look": "flat"}}

# Suites that the acoustic engine of today cannot play as they were played, and what follows them.
WITHDRAWN = {
    "sep-near-heard-v1": "sep-near-heard-v2",
    "sep-near-unheard-v1": "sep-near-unheard-v2",
    "sep-target-unheard-v1": "sep-target-unheard-v2",
    "sep-3src-v1": "sep-3src-v2",
    "sep-noise-v1": "sep-noise-v2",
    "sep-distance-v1": "sep-distance-v2",
    "sep-static-v1": "sep-static-v2",
    "sep-far-v1": "sep-far-v2",
    "sep-demo-v1": "sep-demo-v2",
    "rir-replica-like-v1": "rir-replica-like-v2",
    "rir-mp3d-like-v1": "rir-mp3d-like-v2",
}


@dataclass(frozen=True)
class Metric:
    """One number per episode.

    source  an info key of the environment, or "reward"; a * at its end stands for all robots,
            whose numbers are added; "refined_" and a key of `score_refined`: what the agent's
            estimates are worth that it makes after the episode; with "4_" between the two:
            that it makes with 4 seconds of hindsight
    reduce  how the steps of an episode become one number: mean | sum | final.
            Steps at which the quantity is undefined (nan) do not count.
    """

    name: str
    source: str
    reduce: str
    higher_is_better: bool
    unit: str = ""


@dataclass(frozen=True)
class Group:
    """Episodes that share one environment, for example one level of noise.

    env_kwargs  on top of the suite's
    seeds       one per episode, handed to `env.reset(seed=...)`
    options     one per episode, handed to `env.reset(options=...)`
    """

    name: str
    env_kwargs: dict[str, Any]
    seeds: tuple[int, ...]
    options: tuple[dict[str, Any], ...]


class Episode(NamedTuple):
    """One episode of a suite."""

    group: Group
    seed: int
    options: dict[str, Any]


@dataclass(frozen=True)
class Suite:
    """A frozen set of episodes in one or more groups.

    env_kwargs  JSON-safe keyword arguments of `gymnasium.make`, the split apart: all there were
    primary     name of the metric that ranks
    """

    name: str
    version: int
    env_id: str
    env_kwargs: dict[str, Any]
    split: str
    groups: tuple[Group, ...]
    metrics: tuple[Metric, ...]
    primary: str

    def __post_init__(self):
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ValueError(f"the name must be letters, digits, '.', '_', '-', got {self.name!r}")
        if self.primary not in self.metric_names:
            raise ValueError(f"{self.name}: primary {self.primary!r} not in {self.metric_names}")
        for metric in self.metrics:
            if metric.reduce not in REDUCTIONS:
                raise ValueError(f"{self.name}: {metric.reduce!r} is none of {REDUCTIONS}")
        if not self.groups or len({group.name for group in self.groups}) < len(self.groups):
            raise ValueError(f"{self.name}: needs groups of different names")
        for group in self.groups:
            what, n = f"{self.name}, group {group.name}", len(group.seeds)
            if n == 0 or len(set(group.seeds)) < n:
                raise ValueError(f"{what}: needs episodes with different seeds")
            if not all(type(seed) is int and seed >= 0 for seed in group.seeds):
                raise ValueError(f"{what}: seeds must be whole numbers from 0 on")
            if len(group.options) != n:
                raise ValueError(f"{what}: {n} seeds, {len(group.options)} options")

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """All episodes, group after group."""
        return tuple(
            Episode(group, seed, options)
            for group in self.groups
            for seed, options in zip(group.seeds, group.options, strict=True)
        )

    @property
    def metric_names(self) -> tuple[str, ...]:
        return tuple(metric.name for metric in self.metrics)

    @property
    def primary_metric(self) -> Metric:
        return next(metric for metric in self.metrics if metric.name == self.primary)

    @property
    def hash(self) -> str:
        """sha256 of the canonical JSON of all fields."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def later_options(self, group: Group) -> dict[str, Any]:
        """What the environment of a group is told beyond what the suite knows."""
        entry_point, _ = VARIANTS.get(self.env_id, (None, None))
        if entry_point is None:
            return {}
        given = {**self.env_kwargs, **group.env_kwargs}
        of_backend = LATER_BACKEND_OPTIONS.get(given.get("backend", "traced"), {})
        later = {**LATER_OPTIONS.get(entry_point, {}), **of_backend}
        known = {*given, *(given.get("backend_options") or {})}
        return {name: value for name, value in later.items() if name not in known}


def read_suite(path: Path) -> Suite:
    """A suite from its JSON file; errors name the file."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        groups = [_built(Group, group) for group in given.pop("groups")]
        metrics = [_built(Metric, metric) for metric in given.pop("metrics")]
        return _built(Suite, {**given, "groups": groups, "metrics": metrics})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a suite: {error}") from error


def _built(kind: type, given: Mapping[str, Any]) -> Any:
    """A frozen dataclass from exactly its fields, lists as tuples."""
    wanted = {field.name for field in fields(kind)}
    if set(given) != wanted:
        odd = ", ".join(sorted(set(given) ^ wanted))
        raise ValueError(f"{kind.__name__} needs {', '.join(sorted(wanted))}; look at {odd}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def suite_named(name: str) -> Suite:
    """The suite of that name; errors name its successor, or all there are."""
    if name in SUITES:
        return SUITES[name]
    if name in WITHDRAWN:
        raise UserError(
            f"suite {name!r} was withdrawn: the acoustic engine has changed since, and its results "
            f"cannot be made again; its successor is {WITHDRAWN[name]}"
        )
    raise UserError(f"unknown suite {name!r}; there is {', '.join(sorted(SUITES))}")


def add_suite(path: Path) -> Suite:
    """The suite of a JSON file, from now on in `SUITES`; errors name the file."""
    try:
        suite = read_suite(path)
    except OSError as error:
        raise UserError(f"cannot read the suite {path}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(str(error)) from None
    known = SUITES.get(suite.name)
    if suite.name in WITHDRAWN or (known is not None and known.hash != suite.hash):
        raise UserError(
            f"{path}: there is another suite {suite.name!r}; give this one another name"
        )
    return SUITES.setdefault(suite.name, suite)


def playable_suite(given: str) -> Suite:
    """The suite of that name, or of that file if it ends in .json; its environment exists."""
    if suffix_of(given) != ".json":
        return suite_named(given)
    suite = add_suite(user_path(given, "the suite"))
    module, _, env_id = suite.env_id.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        gym.spec(env_id)
    except (gym.error.Error, ImportError) as error:
        raise UserError(f"{given}: no environment {suite.env_id!r}: {error}") from None
    return suite


SUITES: dict[str, Suite] = {
    path.stem: read_suite(path) for path in sorted(PUBLISHED.glob("*.json"))
}
