"""What is played, with which seeds, and what counts. Data only.

A suite never changes: whoever edits one bumps its version, and the hash in every
result file tells the two apart.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One number per episode.

    source  an info key of the environment, or "reward"
    reduce  how the steps of an episode become one number: mean | sum | final.
            Steps at which the quantity is undefined (nan) do not count.
    """

    name: str
    source: str
    reduce: str
    higher_is_better: bool
    unit: str = ""


@dataclass(frozen=True)
class Suite:
    """A frozen set of episodes.

    env_kwargs  JSON-safe keyword arguments of `gymnasium.make`, the split apart
    seeds       one per episode, handed to `env.reset(seed=...)`
    options     one per episode, handed to `env.reset(options=...)`
    primary     name of the metric that ranks
    """

    name: str
    version: int
    env_id: str
    env_kwargs: dict[str, Any]
    split: str
    seeds: tuple[int, ...]
    options: tuple[dict[str, Any], ...]
    metrics: tuple[Metric, ...]
    primary: str

    def __post_init__(self):
        if self.primary not in self.metric_names:
            raise ValueError(f"{self.name}: primary {self.primary!r} not in {self.metric_names}")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"{self.name}: episode seeds repeat")
        if len(self.options) != len(self.seeds):
            raise ValueError(f"{self.name}: {len(self.seeds)} seeds, {len(self.options)} options")
        for metric in self.metrics:
            if metric.reduce not in ("mean", "sum", "final"):
                raise ValueError(f"{self.name}: unknown reduction {metric.reduce!r}")

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


SEPARATION_METRICS = (
    Metric("si_sdr_gain", "si_sdr_gain", "mean", higher_is_better=True, unit="dB"),
    Metric("si_sdr", "si_sdr", "mean", higher_is_better=True, unit="dB"),
    Metric("si_sdr_final", "si_sdr", "final", higher_is_better=True, unit="dB"),
    Metric("stft_distance", "stft_distance", "mean", higher_is_better=False),
    Metric("return", "reward", "sum", higher_is_better=True),
    Metric("collisions", "collision", "sum", higher_is_better=False),
    Metric("distance_final", "geodesic_to_target", "final", higher_is_better=False, unit="m"),
)

# Spelt out although they are the defaults: a suite does not follow a default that changes.
SEPARATION_OPTIONS = {
    "num_sources": 2,
    "start": "near",
    "min_source_distance": 8.0,
    "estimator": "mixture",
    "reward": "si_sdr_gain",
    "convolution": "causal",
    "sounds": "embedded",
    "grid": 1.0,
    "steps": 20,
    "hrtf": "kemar",
}


def _separation_suite(name: str, houses: int, n_episodes: int) -> Suite:
    """Episodes take the houses in turn, so that all count alike."""
    return Suite(
        name=name,
        version=int(name.rpartition("-v")[2]),
        env_id="AVDynamicSep-v0",
        env_kwargs={"houses": houses, **SEPARATION_OPTIONS},
        split="test_unheard",
        seeds=tuple(range(n_episodes)),
        options=tuple({"house": episode % houses} for episode in range(n_episodes)),
        metrics=SEPARATION_METRICS,
        primary="si_sdr_gain",
    )


SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        _separation_suite("sep-near-unheard-v1", houses=20, n_episodes=200),
        _separation_suite("sep-demo-v1", houses=4, n_episodes=24),
    )
}
