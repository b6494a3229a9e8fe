"""The experiments, one row each: what changes from column to column, and what is read off.

They are those of the supplement of Majumder and Grauman, "Active Audio-Visual Separation of
Dynamic Sound Sources", ECCV 2022, in the houses of this suite, and what the paper's own setting
is worth here. Which distances between sources the paper compares is not legible in its figure.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from av_envs.benchmarks.suites.suite import Group, Metric, Suite

ENV_ID = "AVDynamicSep-v0"
COMMON = {
    "num_sources": 2,
    "start": "between",
    "estimator": "agent",
    "reward": "si_sdr",
    "observations": ["rgb", "depth", "mixture", "waveform", "target", "pose"],
}
ONLY = "all"  # the one group of an experiment that plays its episodes once
AT_ONCE = "at once"  # an estimate that is not made with hindsight


class Score(NamedTuple):
    """What estimates are judged by: an info key of the environment, and a key of `score_refined`.

    words  what it is called
    """

    name: str
    words: str
    higher_is_better: bool
    unit: str
    digits: int


SCORES = (
    Score("si_sdr", "SI-SDR, dB", True, "dB", 2),
    Score("stft_distance", "STFT distance, the smaller the better", False, "", 3),
)


@dataclass(frozen=True)
class Experiment:
    """The same agents under several conditions.

    title          what it is about, in a line
    axis           what changes from column to column, with its unit
    columns        options of the environment on top of COMMON, by column
    look_backs     seconds of hindsight that are the columns instead: the episodes are played once
    same_episodes  whether the episodes of all columns have the same house, clips, sources and
                   start; otherwise only their seeds and houses are the same
    """

    title: str
    axis: str
    columns: dict[str, dict[str, Any]] = field(default_factory=lambda: {ONLY: {}})
    look_backs: tuple[int, ...] = ()
    same_episodes: bool = False


EXPERIMENTS = {
    "e_sweep": Experiment(
        "Seconds of hindsight",
        "E, seconds of hindsight with which estimates are refined",
        look_backs=(0, 4, 9, 14, 19),
        same_episodes=True,
    ),
    "noise": Experiment(
        "Noise of the microphones",
        "noise below the mixture at the start",
        {
            "none": {},
            **{f"{ratio} dB": {"noise_snr_db": float(ratio)} for ratio in (40, 30, 20)},
        },
        same_episodes=True,
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
        same_episodes=True,
    ),
}


class Table(NamedTuple):
    """A score of every agent in every column.

    words   what the score is
    places  group of episodes and metric, by column
    digits  after the point
    """

    words: str
    places: dict[str, tuple[str, str]]
    higher_is_better: bool
    digits: int


def suite_of(name: str, split: str, n_episodes: int, houses: int) -> Suite:
    """The episodes of an experiment: in every column the same seeds in the same houses."""
    experiment, seeds = EXPERIMENTS[name], tuple(range(n_episodes))
    options = tuple({"house": seed % houses} for seed in seeds)
    metrics = []
    for score in SCORES:
        hindsight = {f"{score.name}_refined": f"refined_{score.name}"}
        for back in experiment.look_backs:
            hindsight[f"{score.name}_{back}"] = f"refined_{back}_{score.name}"
        better, unit = score.higher_is_better, score.unit
        metrics.append(Metric(score.name, score.name, "mean", better, unit))
        metrics += [Metric(*one, "final", better, unit) for one in hindsight.items()]
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
        if experiment.look_backs:
            backs = {str(back): (ONLY, f"{score.name}_{back}") for back in experiment.look_backs}
            shown = {score.words: {AT_ONCE: (ONLY, score.name), **backs}}
        else:
            shown = {
                score.words: {column: (column, score.name) for column in experiment.columns},
                f"{score.words}, with hindsight": {
                    column: (column, f"{score.name}_refined") for column in experiment.columns
                },
            }
        made += [Table(*one, score.higher_is_better, score.digits) for one in shown.items()]
    return made
