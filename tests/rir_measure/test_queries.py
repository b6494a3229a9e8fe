"""Queries are uniform over pairs of different nodes; the area is a mean error."""

import numpy as np
import pytest

from av_envs.rir_measure.queries import area_under_curve, budgets, draw_queries


def test_queries_are_uniform_over_ordered_pairs_and_headings():
    nodes = [None] * 3
    drawn = draw_queries(24_000, nodes, np.random.default_rng(0))
    assert drawn.dtype == np.int32
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(found) == 3 * 2 * 4
    assert (found[:, 0] != found[:, 1]).all()
    assert counts == pytest.approx(1000, abs=150)  # five standard deviations


def test_the_same_generator_draws_the_same_queries():
    nodes = [None] * 50
    drawn = [draw_queries(9, nodes, np.random.default_rng(3)) for _ in range(2)]
    assert np.array_equal(*drawn)
    assert draw_queries(0, nodes, np.random.default_rng(3)).shape == (0, 3)


def test_one_node_has_no_pair():
    with pytest.raises(ValueError, match="the graph has 1"):
        draw_queries(2, [None], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (250, (10, 25, 50, 100, 150, 200, 250)),
        (60, (10, 25, 50, 60)),
        (25, (10, 25)),
        (10, (10,)),
        (4, (4,)),
    ],
)
def test_budgets_end_with_the_episode(steps, expected):
    assert budgets(steps) == expected


def test_an_episode_without_steps_has_no_budget():
    with pytest.raises(ValueError, match="got 0"):
        budgets(0)


def test_a_constant_error_is_its_own_area():
    assert area_under_curve(budgets(250), [0.7] * 7) == pytest.approx(0.7)
    assert area_under_curve([10], [0.7]) == pytest.approx(0.7)


def test_trapezoids_weigh_by_width():
    # 10..20 at mean 1.5, 20..60 at mean 0.5
    assert area_under_curve([10, 20, 60], [2.0, 1.0, 0.0]) == pytest.approx((15 + 20) / 50)


def test_what_has_no_area():
    with pytest.raises(ValueError, match="2 budgets and 1 errors"):
        area_under_curve([10, 20], [1.0])
    with pytest.raises(ValueError, match="0 budgets"):
        area_under_curve([], [])
    with pytest.raises(ValueError, match="must increase"):
        area_under_curve([20, 10], [1.0, 1.0])
