"""How sure we are of a score: interquartile means and bootstrap intervals.

After Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", NeurIPS 2021. A run is one seed; a task is a scene.
"""

from collections.abc import Sequence

import numpy as np

REPETITIONS = 2000
COVERAGE = 0.95
TRIM = 0.25  # share cut from either end


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
