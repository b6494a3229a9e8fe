"""Ways around walls against lengths known from geometry."""

import numpy as np
import pytest

from av_envs.agents.rir_measure.set_predictor.detours import PACE_UNKNOWN, detours
from av_envs.rir_measure.predictors.seen_space import IMAGE_SIZE, SeenSpace
from av_envs.vision import MAX_DEPTH


def at(*places) -> np.ndarray:
    return np.array([[*place, 1.5] for place in places])


def room(depth: float, around=((0, 0),)) -> SeenSpace:
    """What is seen from some places in all directions, with walls so many metres ahead."""
    space = SeenSpace()
    image = np.full((IMAGE_SIZE, IMAGE_SIZE, 1), depth / MAX_DEPTH, np.float32)
    for place in around:
        for heading in range(4):
            space.look(np.array([*place, 0.0]), heading, image)
    return space


@pytest.mark.parametrize("end", [(3, 0), (-2, 3), (0.1, -3), (0.3, 0.2)])
def test_in_the_open_the_way_is_straight(end):
    length, arrival = detours(room(4), at((0, 0)), at(end))
    straight = np.hypot(*end)
    assert length[0] == pytest.approx(straight, rel=0.12, abs=0.15)
    assert length[0] >= straight
    if straight > 1.5:
        assert arrival[0] @ np.array(end) / straight < -0.95  # it comes from the start


def test_where_nothing_is_known_the_way_is_long_and_finite():
    length, _ = detours(SeenSpace(), at((0, 0), (2, 2)), at((6, 0), (2, 2)))
    assert length[0] == pytest.approx(6 * PACE_UNKNOWN, rel=0.1)
    assert length[1] < 0.5


def test_a_wall_is_walked_around():
    space = SeenSpace()
    image = np.full((IMAGE_SIZE, IMAGE_SIZE, 1), 1.0, np.float32)
    left = 2 * (1 - (np.arange(IMAGE_SIZE) + 0.5) / (IMAGE_SIZE / 2))
    image[:, np.abs(left) < 1] = 2 / MAX_DEPTH  # a wall 2 m ahead, from -1 to 1 m
    space.look(np.zeros(3), 0, image)
    start, end = at((1, 0)), at((3.5, 0))
    length, arrival = detours(space, start, end)
    around = np.hypot(1, 1) + np.hypot(1.5, 1)
    assert around * 0.95 < length[0] < around * PACE_UNKNOWN
    assert abs(arrival[0, 1]) > 0.3  # it does not come straight through
    swapped, _ = detours(space, end, start)
    assert swapped == pytest.approx(length, rel=0.1)
