"""Interquartile means of scores and their bootstrap intervals.

After Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", NeurIPS 2021. A run is one seed; a task is a scene in a group of episodes.
`board_score` is the one way in which scores are averaged: of boards, scales and learning curves.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ENOUGH_RUNS = 3  # fewer runs say nothing about how runs differ
REPETITIONS = 2000
COVERAGE = 0.95
TRIM = 0.25  # share cut from either end


@dataclass(frozen=True)
class Score:
    """A value with its 95 % interval, and what the interval resamples: runs or episodes."""

    value: float | None
    interval: tuple[float, float] | None
    basis: str


def by_task(scores: Iterable[tuple[Hashable, float | None]]) -> dict[Hashable, np.ndarray]:
    """Scores of episodes, given as (task, score), by their tasks; undefined ones do not count."""
    tasks: dict[Hashable, list[float]] = defaultdict(list)
    for task, score in scores:
        if score is not None and not np.isnan(score):
            tasks[task].append(score)
    return {task: np.array(values, float) for task, values in tasks.items()}


def board_score(runs: Sequence[Mapping[Hashable, np.ndarray]]) -> Score:
    """Mean of the episodes of a task, then the interquartile mean over all tasks and runs.

    runs  per run, by task, the scores of its episodes (n_episodes,); tasks that not every run has
          do not count
    """
    tasks = sorted(set.intersection(*(set(run) for run in runs)))
    if not tasks:
        return Score(None, None, "")
    table = np.array([[run[task].mean() for task in tasks] for run in runs])
    score = float(interquartile_mean(table.ravel()))
    if len(runs) >= ENOUGH_RUNS:
        return Score(score, run_interval(table), "runs")
    pooled = [np.concatenate([run[task] for run in runs]) for task in tasks]
    if min(len(scores) for scores in pooled) < 2:
        return Score(score, None, "")
    return Score(score, episode_interval(pooled), "episodes")


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Mean of the middle half of the last axis.

    scores   (..., n) float
    returns  (...,); `int(n / 4)` values are cut from either end
    """
    cut = int(TRIM * scores.shape[-1])
    return np.sort(scores, axis=-1)[..., cut : scores.shape[-1] - cut].mean(axis=-1)


def run_interval(
    scores: np.ndarray, *, repetitions: int = REPETITIONS, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the interquartile mean over all runs and tasks.

    scores  (n_runs, n_tasks) float; runs are drawn anew with replacement, separately
            for every task (stratified bootstrap, percentile method)
    """
    n_runs, n_tasks = scores.shape
    draws = np.random.default_rng(seed).integers(n_runs, size=(repetitions, n_runs, n_tasks))
    drawn = scores[draws, np.arange(n_tasks)]  # (repetitions, n_runs, n_tasks)
    return _percentiles(interquartile_mean(drawn.reshape(repetitions, -1)))


def episode_interval(
    episodes: Sequence[np.ndarray], *, repetitions: int = REPETITIONS, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the interquartile mean over tasks, for agents with too few runs.

    episodes  per task the scores of its episodes, (n_episodes,) float; episodes are
              drawn anew with replacement within their task
    """
    rng = np.random.default_rng(seed)
    means = [
        scores[rng.integers(len(scores), size=(repetitions, len(scores)))].mean(axis=-1)
        for scores in episodes
    ]
    return _percentiles(interquartile_mean(np.stack(means, axis=-1)))


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
