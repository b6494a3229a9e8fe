"""What a network is told of the places where robots may go."""

import numpy as np
import pytest

from av_envs.agents.rir_measure.choosing.places import (
    FEATURES,
    MOST,
    REACHES,
    SIDE,
    PlaceBook,
    counted_around,
)
from av_envs.agents.rir_measure.choosing.walking import ChoosingTeams, Seen, stacked
from av_envs.agents.rir_measure.silent import SilentTeam
from av_envs.rir_measure.config import MeasureConfig

CONFIG = MeasureConfig.from_keywords(houses=1, steps=12)


def begun(seed: int = 0) -> tuple[SilentTeam, PlaceBook]:
    team = SilentTeam(CONFIG)
    team.begin(np.random.default_rng(seed))
    return team, PlaceBook(2)


def test_what_is_left_is_counted_in_squares():
    left, seen = np.zeros((2, SIDE, SIDE), bool)
    left[10:13, 10:13] = True
    seen[10:12, 10:13] = True
    counts = counted_around(left.ravel(), seen.ravel(), np.array([11 * SIDE + 11, 0]))
    sizes = np.array([(2 * reach + 1) ** 2 for reach in REACHES])
    np.testing.assert_allclose(counts[0], [*(6 / sizes), *(3 / sizes)], rtol=1e-6)
    assert (counts[1] == 0).all()


def test_places_are_unvisited_and_the_nearest_come_first():
    team, book = begun()
    offered = book.offer(Seen(team))
    assert offered.features.shape == (2, MOST, FEATURES)
    assert np.isfinite(offered.features).all()
    for robot in range(2):
        places = offered.places[robot][offered.mask[robot]]
        assert len(set(places)) == len(places) > 1
        assert not book.survey.map.visited[places].any()
        needed = book.survey.routes(robot)[0][places]
        assert (np.diff(needed) >= 0).all()
    assert (offered.features[~offered.mask] == 0).all()


def test_robots_get_to_the_places_that_they_choose():
    """Those that are offered first are the nearest: a node is found every other step."""
    team, book = begun()
    while not team.is_over:
        offered = book.offer(Seen(team))
        reached = offered.places[:, 0].copy()
        needed = [book.survey.routes(robot)[0][reached[robot]] for robot in range(2)]
        team.step(book.take(np.zeros(2, int)))
        assert (book.goals == reached).all()
        book.offer(Seen(team))
        for robot in np.flatnonzero(np.array(needed) == 1):
            blocked = book.survey.places[robot] != reached[robot]
            assert book.survey.map.visited[reached[robot]] or blocked
    assert team.visited.sum() >= CONFIG.steps


def test_where_nothing_is_left_robots_turn():
    team, book = begun()
    offered = book.offer(Seen(team))
    book.survey.map.visited[:] = True
    offered = book.offer(Seen(team))
    assert offered.mask.sum(axis=1).tolist() == [1, 1]
    assert book.take(np.zeros(2, int)).tolist() == [2, 2]


def test_teams_side_by_side_do_as_one_alone():
    envs = ChoosingTeams(CONFIG, 2)
    both, _ = envs.reset(seed=[5, 6])
    alone = ChoosingTeams(CONFIG, 1)
    one, _ = alone.reset(seed=[6])
    for _ in range(CONFIG.steps + 3):
        seen, wanted = stacked(both)["places"][1], stacked(one)["places"][0]
        np.testing.assert_array_equal(seen, wanted)
        both, rewards, _, over, _ = envs.step(np.zeros((2, 2), int))
        one, reward, _, is_over, _ = alone.step(np.zeros((1, 2), int))
        assert rewards[1] == pytest.approx(reward[0])
        assert over[1] == is_over[0]
