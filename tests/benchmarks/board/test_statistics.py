"""Interquartile means and intervals against answers known beforehand."""

import numpy as np
import pytest

from av_envs.benchmarks.board.statistics import episode_interval, interquartile_mean, run_interval


@pytest.mark.parametrize(
    ("scores", "answer"),
    [([1, 2, 3, 1000], 2.5), ([5], 5), ([1, 3], 2), ([-100, 1, 2, 3, 4, 5, 6, 100], 3.5)],
)
def test_the_outer_quarters_do_not_count(scores, answer):
    assert interquartile_mean(np.array(scores, float)) == pytest.approx(answer)
    shuffled = np.random.default_rng(0).permutation(scores).astype(float)
    assert interquartile_mean(shuffled) == pytest.approx(answer)


def test_equal_runs_leave_no_doubt():
    scores = np.tile(np.arange(8.0), (5, 1))
    assert run_interval(scores) == (3.5, 3.5)


def test_an_interval_repeats_and_holds_the_score():
    scores = np.random.default_rng(1).normal(2, 1, (5, 8))
    low, high = run_interval(scores)
    assert (low, high) == run_interval(scores)
    assert low < interquartile_mean(scores.ravel()) < high
    assert run_interval(scores, seed=1) != (low, high)


def test_runs_are_drawn_separately_for_every_task():
    """Tasks that differ only by a constant cannot widen the interval of the mean."""
    runs = np.random.default_rng(2).normal(0, 1, (6, 1))
    one = np.subtract(*run_interval(runs))
    many = np.subtract(*run_interval(np.tile(runs, (1, 16))))
    assert abs(many) < 0.5 * abs(one)


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    hits = 0
    for repetition in range(200):
        episodes = [rng.normal(1.0, 2.0, 25) for _ in range(8)]
        low, high = episode_interval(episodes, repetitions=300, seed=repetition)
        hits += low <= 1.0 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_episodes_are_drawn_within_their_task():
    """Tasks far apart, episodes alike: nothing to doubt."""
    low, high = episode_interval([np.full(10, value) for value in (0.0, 10.0, 20.0, 30.0)])
    assert low == high == 15.0
