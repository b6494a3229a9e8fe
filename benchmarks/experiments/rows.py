"""The experiments, one row each: what changes from column to column, and what is read off.

They are those of the supplement of Majumder and Grauman, "Active Audio-Visual Separation of
Dynamic Sound Sources", ECCV 2022, in the houses of this suite, and what the paper's own setting
is worth here. Which distances between sources the paper compares is not legible in its figure.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from av_envs.benchmarks.suites.suite import Group, Metric, Suite

ENV_ID = "AVDynamicSep-v0"
COMMON = {"num_sources": 2, "start": "between", "estimator": "agent", "reward": "si_sdr"}
ONLY = "all"  # the one group of an experiment that plays its episodes once
AT_ONCE = "at once"  # an estimate that is not made with hindsight


class Score(NamedTuple):
    """A metric of which an experiment has a table.

    source   what it is made of, as in `Metric`; `hindsight` is the same of refined estimates
    refined  name of the metric of refined estimates
    """

    name: str
    refined: str
    source: str
    hindsight: str
    higher_is_better: bool
    unit: str
    words: str


SCORES = (
    Score("si_sdr", "si_sdr_refined", "si_sdr", "refined_{}si_sdr", True, "dB", "SI-SDR, dB"),
    Score(
        "stft_distance",
        "stft_distance_refined",
        "stft_distance",
        "refined_{}stft_distance",
        False,
        "",
        "STFT distance, the smaller the better",
    ),
)


@dataclass(frozen=True)
class Experiment:
    """The same agents under several conditions.

    title       what it is about, in a line
    axis        what changes from column to column, with its unit
    columns     options of the environment on top of COMMON, by column
    look_backs  seconds of hindsight that are the columns instead: the episodes are played once
    """

    title: str
    axis: str
    columns: dict[str, dict[str, Any]] = field(default_factory=lambda: {ONLY: {}})
    look_backs: tuple[int, ...] = ()


EXPERIMENTS = {
    "e_sweep": Experiment(
        "Seconds of hindsight",
        "E: seconds after a second within which its estimate is still made better",
        look_backs=(0, 4, 9, 14, 19),
    ),
    "noise": Experiment(
        "Noise of the microphones",
        "noise below the mixture at the start",
        {
            "none": {},
            **{f"{ratio} dB": {"noise_snr_db": float(ratio)} for ratio in (40, 30, 20)},
        },
    ),
    "three_sources": Experiment(
        "A third source",
        "sources, the target included",
        {str(count): {"num_sources": count} for count in (2, 3)},
    ),
    "min_distance": Experiment(
        "Distance between the sources",
        "walk from one source to another, at least",
        {f"{metres} m": {"min_source_distance": float(metres)} for metres in (2, 4, 6, 8)},
    ),
    "target_start": Experiment(
        "Where an episode starts",
        "start: between two sources, near the target, or on it as in the paper",
        {start: {"start": start} for start in ("between", "near", "target")},
    ),
    "legacy": Experiment(
        "The convolution of the paper's code",
        "convolution of an episode that starts on the target, as in the paper",
        {
            convolution: {"start": "target", "convolution": convolution}
            for convolution in ("causal", "legacy_same")
        },
    ),
}


class Table(NamedTuple):
    """A score of every agent in every column.

    words   what the score is
    places  group of episodes and metric, by column
    """

    words: str
    places: dict[str, tuple[str, str]]
    higher_is_better: bool


def suite_of(name: str, split: str, n_episodes: int, houses: int) -> Suite:
    """The episodes of an experiment: in every column the same seeds in the same houses."""
    experiment, seeds = EXPERIMENTS[name], tuple(range(n_episodes))
    options = tuple({"house": seed % houses} for seed in seeds)
    metrics = []
    for score in SCORES:
        better, unit = score.higher_is_better, score.unit
        hindsight = [(score.refined, score.hindsight.format(""))] + [
            (f"{score.name}_{back}", score.hindsight.format(f"{back}_"))
            for back in experiment.look_backs
        ]
        metrics += [
            Metric(score.name, score.source, "mean", better, unit),
            *(Metric(called, source, "final", better, unit) for called, source in hindsight),
        ]
    return Suite(
        name=f"experiment-{name}-{split}",
        version=1,
        env_id=ENV_ID,
        env_kwargs={**COMMON, "houses": houses},
        split=split,
        groups=tuple(
            Group(column, given, seeds, options) for column, given in experiment.columns.items()
        ),
        metrics=tuple(metrics),
        primary=SCORES[0].name,
    )


def tables_of(name: str) -> list[Table]:
    """What is shown of an experiment; the first table is drawn, too."""
    experiment = EXPERIMENTS[name]
    made = []
    for score in SCORES:
        words, better = score.words, score.higher_is_better
        if experiment.look_backs:
            backs = {str(back): (ONLY, f"{score.name}_{back}") for back in experiment.look_backs}
            made.append(Table(words, {AT_ONCE: (ONLY, score.name), **backs}, better))
            continue
        for metric, added in ((score.name, ""), (score.refined, ", with hindsight")):
            places = {column: (column, metric) for column in experiment.columns}
            made.append(Table(words + added, places, better))
    return made
