"""Lines with axes."""

import numpy as np
import pytest

from av_envs.agents.line_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    LineChart,
    round_levels,
)

RED = (200, 0, 0)


def test_a_line_goes_from_corner_to_corner():
    chart = LineChart("title", "below", (2, 6), (2, 4, 6), (0.0, 5.0, 10.0), dots=True)
    drawn = chart.draw({"one": [[(2, 0.0), (6, 10.0)]]}, {"one": RED})
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert tuple(drawn[HEIGHT - BOTTOM, LEFT]) == RED
    assert tuple(drawn[TOP, WIDTH - RIGHT]) == RED
    red, green, _ = drawn[(TOP + HEIGHT - BOTTOM) // 2, (LEFT + WIDTH - RIGHT) // 2].tolist()
    assert red - green > 100  # its edges are smooth
    assert tuple(drawn[TOP, LEFT]) != RED


@pytest.mark.parametrize(
    ("low", "high", "first", "step"),
    [(0, 89.0, 0.0, 20.0), (6.1, 9.2, 6.0, 1.0), (3.0, 3.0, 3.0, 0.001), (-2.0, 7.0, -2.0, 2.0)],
)
def test_levels_are_round_and_hold_all(low, high, first, step):
    levels = round_levels(low, high, 5)
    assert levels[0] == pytest.approx(first)
    np.testing.assert_allclose(np.diff(levels), step, rtol=1e-6)
    assert levels[0] <= low
    assert levels[-1] >= high
