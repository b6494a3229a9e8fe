"""What is played, with which seeds, and what counts. Data only.

A suite never changes: whoever edits one bumps its version, and the hash in every
result file tells the two apart.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

REDUCTIONS = ("mean", "sum", "final")


@dataclass(frozen=True)
class Metric:
    """One number per episode.

    source  an info key of the environment, or "reward"; a * at its end stands for all robots,
            whose numbers are added
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

    env_kwargs  JSON-safe keyword arguments of `gymnasium.make`, the split apart
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


GAIN = Metric("si_sdr_gain", "si_sdr_gain", "mean", higher_is_better=True, unit="dB")
# of every suite; the gain comes on top where the reward is tied to it
METRICS = (
    Metric("si_sdr", "si_sdr", "mean", higher_is_better=True, unit="dB"),
    Metric("si_sdr_final", "si_sdr", "final", higher_is_better=True, unit="dB"),
    Metric("si_sdr_improvement", "si_sdr_improvement", "mean", higher_is_better=True, unit="dB"),
    Metric(
        "si_sdr_mixture_phase", "si_sdr_mixture_phase", "mean", higher_is_better=True, unit="dB"
    ),
    Metric("stft_distance", "stft_distance", "mean", higher_is_better=False),
    Metric("return", "reward", "sum", higher_is_better=True),
    Metric("collisions", "collision", "sum", higher_is_better=False),
    Metric("distance_final", "geodesic_to_target", "final", higher_is_better=False, unit="m"),
)

HOUSES = 20
ALL = "all"  # name of the group of a suite that has but one
# Spelt out although most are defaults: a suite does not follow a default that changes.
OPTIONS = {
    "houses": HOUSES,
    "num_sources": 2,
    "start": "near",
    "min_source_distance": 8.0,
    "estimator": "mixture",
    "reward": "si_sdr_gain",
    "dynamic": True,
    "noise_snr_db": None,
    "convolution": "causal",
    "sounds": "embedded",
    "grid": 1.0,
    "steps": 20,
    "hrtf": "kemar",
}


def _group(name: str, n_episodes: int, houses: int = HOUSES, **env_kwargs: Any) -> Group:
    """Episodes take the houses in turn, so that all count alike.

    All groups draw from the same seeds: the episodes of two groups, and of two suites,
    differ in what their options change and, where the draw allows it, in nothing else.
    """
    return Group(
        name=name,
        env_kwargs=env_kwargs,
        seeds=tuple(range(n_episodes)),
        options=tuple({"house": episode % houses} for episode in range(n_episodes)),
    )


def _suite(
    name: str,
    *groups: Group,
    env_id: str = "AVDynamicSep-v0",
    split: str = "test_unheard",
    primary: str = "si_sdr_gain",
    **changes: Any,
) -> Suite:
    env_kwargs = {**OPTIONS, **changes}
    has_gain = env_kwargs["reward"] == "si_sdr_gain"
    return Suite(
        name=name,
        version=int(name.rpartition("-v")[2]),
        env_id=env_id,
        env_kwargs=env_kwargs,
        split=split,
        groups=groups,
        metrics=(GAIN, *METRICS) if has_gain else METRICS,
        primary=primary,
    )


# Of the measuring suites. Whoever explores well has seen all when the time is up, so the mean
# over the steps ranks: it tells who was sooner. The final numbers are those of the paper.
MEASURED = (
    Metric("wcr_mean", "wcr", "mean", higher_is_better=True),
    Metric("wcr", "wcr", "final", higher_is_better=True),
    Metric("cr", "cr", "final", higher_is_better=True),
    Metric("pe", "pe_mean", "final", higher_is_better=False),
    Metric("pes", "pes", "final", higher_is_better=False),
    Metric("cr_mean", "cr", "mean", higher_is_better=True),
    Metric("pe_query_auc", "pe_query_auc", "final", higher_is_better=False),
    Metric("pe_query", "pe_query", "final", higher_is_better=False),
    Metric("rte_ms", "rte_ms", "mean", higher_is_better=False, unit="ms"),
    Metric("rte_pct", "rte_pct", "mean", higher_is_better=False, unit="%"),
    Metric("sisdr", "sisdr", "mean", higher_is_better=True, unit="dB"),
    Metric("snr", "snr", "mean", higher_is_better=True, unit="dB"),
    Metric("snr01", "snr01", "mean", higher_is_better=True, unit="dB"),
    Metric("edt_ms", "edt_ms", "mean", higher_is_better=False, unit="ms"),
    Metric("drr_db", "drr_db", "mean", higher_is_better=False, unit="dB"),
    Metric("c50_db", "c50_db", "mean", higher_is_better=False, unit="dB"),
    Metric("lr_db", "lr_db", "mean", higher_is_better=False, unit="dB"),
    Metric("return", "reward", "sum", higher_is_better=True),
    Metric("collisions", "collision_*", "sum", higher_is_better=False),
)

# The same for the measuring task. The predictor is that of entries which bring none.
MEASURE_OPTIONS = {
    "kind": "flat",
    "houses": HOUSES,
    "grid": 0.5,
    "steps": 250,
    "robots": 2,
    "emitters": None,
    "receivers": None,
    "fixed_sources": 0,
    "fixed_receivers": 0,
    "directions": "both",
    "prediction": "env",
    "predictor": "mean",
    "xi_timing": "post_move",
    "alpha_xi": 1.0,
    "alpha_zeta": 1.0,
    "alpha_psi": -1.0,
    "alpha_phi": 1.0,
    "rho": -1.0,
    "stop_mode": "mask",
    "terminate_on_full_coverage": False,
    "observations": ("rgb", "depth", "azimuth", "position", "action_mask"),
    "position_frame": "scene",
    "queries": 32,
    "room_errors": True,
    "expose_rir": False,
    "wcr_lambda": 0.1,
    "hrtf": "kemar",
}


def _measure_suite(name: str, env_id: str, **changes: Any) -> Suite:
    """100 episodes in 20 dwellings that nobody has seen."""
    return Suite(
        name=name,
        version=int(name.rpartition("-v")[2]),
        env_id=env_id,
        env_kwargs={**MEASURE_OPTIONS, **changes},
        split="test",
        groups=(_group(ALL, 100),),
        metrics=MEASURED,
        primary="wcr_mean",
    )


SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        _suite("sep-near-heard-v1", _group(ALL, 200), split="test_heard"),
        _suite("sep-near-unheard-v1", _group(ALL, 200)),
        # The paper's own start. Moving can only lose there, so the level itself is ranked.
        _suite("sep-target-unheard-v1", _group(ALL, 200), start="target", primary="si_sdr"),
        _suite("sep-3src-v1", _group(ALL, 200), env_id="AVDynamicSep3-v0", num_sources=3),
        _suite(
            "sep-noise-v1",
            *(_group(f"{snr} dB", 80, noise_snr_db=float(snr)) for snr in (20, 30, 40)),
        ),
        _suite(
            "sep-distance-v1",
            *(_group(f"{m} m", 60, min_source_distance=float(m)) for m in (2, 4, 6, 8)),
        ),
        # Move2Hear asks how good the estimate is when the time is up.
        _suite(
            "sep-static-v1",
            _group(ALL, 200),
            env_id="AVStaticSep-v0",
            dynamic=False,
            reward="improvement",
            primary="si_sdr_final",
        ),
        _suite(
            "sep-far-v1",
            _group(ALL, 100),
            env_id="AVFarSep-v0",
            start="far",
            dynamic=False,
            steps=80,
            reward="approach",
            primary="si_sdr_final",
        ),
        _suite("sep-demo-v1", _group(ALL, 24, houses=4), houses=4),
        # Sizes, grids and horizons of the paper's Replica and Matterport3D experiments.
        _measure_suite("rir-replica-like-v1", "AVRIRMeasure-v0"),
        _measure_suite(
            "rir-mp3d-like-v1", "AVRIRMeasureHouse-v0", kind="house", grid=1.0, steps=300
        ),
    )
}
