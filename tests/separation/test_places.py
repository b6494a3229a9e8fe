"""The start between sources that are equally far: what it promises, and that it is fair."""

import itertools
import re

import numpy as np
import pytest

from av_envs.scene import NavigationGraph, load_scene, scene_name
from av_envs.separation.config import SeparationConfig
from av_envs.separation.env import SeparationEnv
from av_envs.separation.places import NoRoomError, draw_places

HOUSE = load_scene(scene_name("val", 0), 1.0).graph


def corridor(n: int, grid: float = 1.0) -> NavigationGraph:
    """n nodes in a row."""
    positions = np.zeros((n, 3), np.float32)
    positions[:, 0] = grid * np.arange(n)
    neighbours = np.full((n, 4), -1, np.int32)
    neighbours[:-1, 0], neighbours[1:, 2] = np.arange(1, n), np.arange(n - 1)
    return NavigationGraph(positions, neighbours, grid, np.zeros(n, np.int32), np.ones(n))


def places_of(graph: NavigationGraph, n_draws: int, **options):
    """(n, num_sources) nodes, the target first, and (n,) starts."""
    rng, config = np.random.default_rng(0), SeparationConfig(**options)
    drawn = [draw_places(config, graph, rng) for _ in range(n_draws)]
    return np.array([nodes for nodes, _ in drawn]), np.array([start for _, start in drawn])


@pytest.mark.parametrize(("num_sources", "grid"), [(2, 1.0), (3, 1.0), (4, 1.0), (2, 0.5)])
def test_the_target_and_the_nearest_other_are_equally_far(num_sources, grid):
    graph = load_scene(scene_name("val", 0), grid).graph
    nodes, starts = places_of(graph, 200, num_sources=num_sources, grid=grid)
    away = graph.walking_distances[starts[:, None], nodes]
    target, other = away[:, 0], away[:, 1:].min(axis=1)
    assert ((target >= 2) & (target <= 5) & (other >= 2) & (other <= 5)).all()
    assert (np.abs(target - other) <= grid).all()
    between = graph.walking_distances[nodes[:, :, None], nodes[:, None]]
    assert between[:, ~np.eye(num_sources, dtype=bool)].min() >= 4


def test_a_fair_coin_says_which_of_two_is_the_target():
    """Neither its place in the house nor a step more or less tells the target; 4 sigma."""
    nodes, starts = places_of(HOUSE, 2500)
    away = HOUSE.walking_distances[starts[:, None], nodes]
    reach = HOUSE.walking_distances.mean(axis=1)[nodes]  # small in the middle of the house
    ways = (HOUSE.neighbours >= 0).sum(axis=1)[nodes]
    for seen in (away, reach, ways, nodes):
        first, second = seen[:, 0], seen[:, 1]
        differ = first != second
        share = (first < second)[differ].mean()
        assert abs(share - 0.5) <= 4 * 0.5 / np.sqrt(differ.sum())


def star(n_arms: int, length: int) -> NavigationGraph:
    """Corridors of so many nodes that meet at node 0; node 1 + arm * length begins an arm."""
    n = 1 + n_arms * length
    neighbours = np.full((n, 4), -1, np.int32)
    for arm in range(n_arms):
        nodes = [0, *range(1 + arm * length, 1 + (arm + 1) * length)]
        for one, two in itertools.pairwise(nodes):
            neighbours[one, arm], neighbours[two, (arm + 2) % 4] = two, one
    positions = np.zeros((n, 3), np.float32)
    return NavigationGraph(positions, neighbours, 1.0, np.zeros(n, np.int32), np.ones(n))


def test_of_three_that_are_equally_far_each_is_the_target_as_often():
    nodes, starts = places_of(star(3, 2), 900, num_sources=3)
    assert (starts == 0).all()
    counts = [np.sum(nodes[:, 0] == tip) for tip in (2, 4, 6)]
    assert sum(counts) == 900
    assert (np.abs(np.array(counts) - 300) < 4 * np.sqrt(200)).all()


def test_the_only_fit_is_found_when_chance_does_not_find_it():
    """Two sources exactly 10 m apart and the node in the middle, in a corridor of 400 m."""
    nodes, starts = places_of(corridor(400), 4, min_source_distance=10.0)
    assert (np.abs(nodes[:, 0] - nodes[:, 1]) == 10).all()
    assert (starts == nodes.mean(axis=1)).all()


def test_there_is_a_way_to_every_source_that_may_be_the_target():
    """In a corridor the start has the two on either side, since none can be walked through."""
    nodes, starts = places_of(corridor(30), 50, num_sources=3)
    for (target, *others), start in zip(nodes, starts, strict=True):
        other = min(others, key=lambda node: abs(node - start))
        assert (target - start) * (other - start) < 0


def test_each_start_has_its_usual_distance_between_sources():
    usual = {start: SeparationConfig(start=start).source_distance for start in
             ("between", "near", "target", "far")}  # fmt: skip
    assert usual == {"between": 4, "near": 8, "target": 8, "far": 8}
    assert SeparationConfig(min_source_distance=2.5).source_distance == 2.5
    assert SeparationConfig(start="far", min_source_distance=0).source_distance == 0


def test_where_no_place_is_between_two_the_error_says_what_to_relax():
    with pytest.raises(NoRoomError) as refusal:
        places_of(corridor(4), 1, min_source_distance=3.0)
    assert str(refusal.value) == (
        "no room for 2 sources 3 m apart in this house: the sources fit, but leave no 'between' "
        "start, a node 2 to 5 m from two of them alike; ask for a smaller min_source_distance "
        "or num_sources, or for another start"
    )
    with pytest.raises(NoRoomError, match=r"1 fits 4 m apart; 2 fit 2 m apart: ask for a smaller"):
        places_of(corridor(3), 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"num_sources": 1}, "start 'between' needs 2 sources or more, got num_sources=1; choose "),
        ({"min_source_distance": 10.5}, "min_source_distance must be at most 10, got 10.5; or "),
    ],
)
def test_what_can_never_be_between_is_refused_at_once(options, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint) + ".*start from near, target, far"):
        SeparationEnv(**options)
    SeparationConfig(**options, start="near")
