"""Bootstrap intervals of means."""

import numpy as np
import pytest

from av_envs.agents.intervals import mean_interval


def test_an_interval_of_equal_values_is_one_value():
    assert mean_interval(np.full(5, 1.5)) == (1.5, 1.5, 1.5)


def test_it_is_that_of_a_normal_mean():
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    mean, low, high = mean_interval(values)
    assert mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.1)
    assert mean_interval(values) == (mean, low, high)
