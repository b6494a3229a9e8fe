"""The map that a team draws of where it has been."""

import numpy as np
import pytest

from av_envs.agents.ego_map import REACH, SIDE, EgoMap

EAST, NORTH = 0.0, 0.25  # headings in whole turns
BEGUN, GOES_ON = np.array([True]), np.array([False])


def seen(*poses: tuple[float, float, float]) -> dict[str, np.ndarray]:
    """Observations of robots at x, y with a heading."""
    rows = np.array(poses, np.float32)
    return {
        "position": np.column_stack([rows[:, :2], np.zeros(len(rows), np.float32)]),
        "azimuth": np.column_stack([rows[:, 2], np.zeros(len(rows), np.float32)]),
    }


def marks(layer: np.ndarray) -> list[tuple[int, int]]:
    """Cells ahead and to the right of the robot."""
    return [(REACH - row, column - REACH) for row, column in np.argwhere(layer).tolist()]


def test_what_lies_behind_is_drawn_behind():
    drawing = EgoMap(1, 1)
    drawing.drawn(seen((3.0, 1.0, EAST)), BEGUN)
    shown = drawing.drawn(seen((3.5, 1.0, EAST)), GOES_ON)
    assert shown.shape == (1, 3, SIDE, SIDE)
    assert marks(shown[0, 0]) == [(0, 0), (-1, 0)]
    turned = drawing.drawn(seen((3.5, 1.0, NORTH)), GOES_ON)
    assert marks(turned[0, 0]) == [(0, -1), (0, 0)]  # west is to the left of north


def test_who_stands_still_has_walked_into_something():
    drawing = EgoMap(1, 1)
    assert not drawing.drawn(seen((0.0, 0.0, NORTH)), BEGUN)[0, 1].any()
    stuck = drawing.drawn(seen((0.0, 0.0, NORTH)), GOES_ON)
    assert marks(stuck[0, 1]) == [(1, 0)]
    turned = drawing.drawn(seen((0.0, 0.0, EAST)), GOES_ON)
    assert marks(turned[0, 1]) == [(0, -1)]
    there = drawing.drawn(seen((0.0, 0.5, EAST)), GOES_ON)  # it was the other robot, say
    assert not there[0, 1].any()
    assert not drawing.drawn(seen((0.0, 0.5, EAST)), BEGUN)[0, 1].any()


def test_robots_share_the_map_and_see_each_other():
    shown = EgoMap(1, 2).drawn(seen((0.0, 0.0, NORTH), (1.0, 0.0, EAST)), BEGUN)
    first, second = shown
    assert marks(first[0]) == [(0, 0), (0, 2)]
    assert marks(first[2]) == [(0, 2)]
    assert marks(second[0]) == [(0, 0), (-2, 0)]
    assert marks(second[2]) == [(-2, 0)]


def test_a_new_episode_has_an_empty_map_and_other_teams_keep_theirs():
    drawing = EgoMap(2, 1)
    drawing.drawn(seen((0.0, 0.0, EAST), (0.0, 0.0, EAST)), np.array([True, True]))
    shown = drawing.drawn(seen((0.5, 0.0, EAST), (0.5, 0.0, EAST)), np.array([True, False]))
    assert [len(marks(team[0])) for team in shown] == [1, 2]


def test_who_walks_off_the_page_stays_at_its_edge():
    drawing = EgoMap(1, 1)
    drawing.drawn(seen((0.0, 0.0, EAST)), BEGUN)
    assert (0, 0) in marks(drawing.drawn(seen((99.0, -99.0, EAST)), GOES_ON)[0, 0])


def test_robots_that_count_from_places_of_their_own_share_no_map():
    drawing = EgoMap(1, 2)
    with pytest.raises(ValueError, match="a map needs position_frame='scene'"):
        drawing.drawn(seen((0.0, 0.0, NORTH), (0.0, 0.0, EAST)), BEGUN)
