"""What oracles are told, against the graph itself."""

import math

import numpy as np
import pytest

from av_envs.scene import NavigationGraph
from av_envs.separation.env import Action, SeparationEnv
from av_envs.separation.privileged import (
    OF_SITUATION,
    Situation,
    bearing_quarters,
    route_heading,
    source_distances,
    source_quarters,
    source_routes,
    target_bearing,
)

# A 3 by 3 square of nodes without its middle link east of node 4:
#   6 7 8
#   3 4|5
#   0 1 2
PLACES = np.array([[x, y, 0] for y in range(3) for x in range(3)], np.float32)


def square() -> NavigationGraph:
    neighbours = np.full((9, 4), -1, np.int32)
    for node in range(9):
        for heading, (dx, dy) in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
            x, y = node % 3 + dx, node // 3 + dy
            if 0 <= x < 3 and 0 <= y < 3 and {node, x + 3 * y} != {4, 5}:
                neighbours[node, heading] = x + 3 * y
    return NavigationGraph(PLACES, neighbours, 1.0, np.zeros(9, np.int32), np.ones(9, np.float32))


def at(node, heading, target, blocked=()) -> Situation:
    sources = np.array([target])
    return Situation(square(), node, heading, sources, np.array(blocked, int), np.full(4, node))


@pytest.fixture(scope="module")
def env():
    return SeparationEnv(houses=2, observations=["pose"], reward="si_sdr")


@pytest.mark.parametrize(
    ("node", "heading", "target", "bearing", "quarters"),
    [
        (0, 0, 2, 0, 0),
        (0, 0, 6, math.pi / 2, 1),
        (2, 0, 0, math.pi, 2),
        (6, 0, 0, -math.pi / 2, 3),
        (0, 1, 2, -math.pi / 2, 3),
        (4, 3, 0, -math.pi / 4, 0),  # between ahead and right: ahead lies further left
        (4, 0, 8, math.pi / 4, 1),  # between ahead and left
        (4, 2, 4, 0, 0),  # on the target there is no bearing
    ],
)
def test_bearings_of_a_square(node, heading, target, bearing, quarters):
    assert target_bearing(at(node, heading, target)) == pytest.approx(bearing, abs=1e-6)
    assert bearing_quarters(at(node, heading, target)) == quarters


@pytest.mark.parametrize(
    ("node", "heading", "target", "blocked", "expected"),
    [
        (0, 0, 8, [8], 0),  # two shortest ways; ahead needs no turn
        (0, 1, 8, [8], 0),
        (0, 2, 8, [8], 3),  # both ways need turns: one to the right against two
        (4, 0, 5, [5], 1),  # round the wall, north before south since left comes before right
        (4, 0, 5, [5, 7], 3),  # ... unless something stands there
        (5, 0, 8, [8], -1),  # beside the target already
        (4, 0, 4, [], 1),  # on the target; ahead is the wall
    ],
)
def test_routes_in_a_square(node, heading, target, blocked, expected):
    assert route_heading(at(node, heading, target, blocked)) == expected


def test_no_way_is_an_error():
    barred = at(0, 0, 8, [1, 3, 8])
    with pytest.raises(ValueError, match="no way from node 0 to a node beside the target 8"):
        route_heading(barred)
    assert source_routes(barred).tolist() == [-2]


def test_what_is_told_of_the_target_is_told_of_every_source():
    situation = at(4, 0, 5, [5, 7])._replace(source_nodes=np.array([5, 7, 0]))
    for told, of_target in (
        (source_routes, route_heading),
        (source_quarters, bearing_quarters),
    ):
        expected = [of_target(situation._replace(source_nodes=np.array([s]))) for s in (5, 7, 0)]
        assert told(situation).tolist() == expected
    assert source_distances(situation).tolist() == [3, 1, 2]


def test_what_follows_an_action_is_what_happens(env):
    rng = np.random.default_rng(0)
    env.reset(seed=3)
    for action in rng.integers(4, size=19):
        walking, straight = env.privileged("distances_after"), env.privileged("straight_after")
        free = env.privileged("forward_is_free")
        assert walking.shape == straight.shape == (4,)
        info = env.step(int(action))[4]
        assert info["geodesic_to_target"] == walking[action]
        assert info["distance_to_target"] == pytest.approx(straight[action], abs=1e-5)
        if action == Action.FORWARD:
            assert info["collision"] == (not free)


@pytest.mark.parametrize("start", ["between", "near", "far", "target"])
def test_the_route_leads_beside_the_target_by_a_shortest_walk(start):
    env = SeparationEnv(houses=2, start=start, steps=200, observations=["pose"], reward="approach")
    for seed in range(3):
        env.reset(seed=seed)
        first = env.node
        while (way := int(env.privileged("route_heading"))) >= 0:
            for _ in range(way):
                env.step(Action.LEFT)
            assert env.step(Action.FORWARD)[4]["collision"] == 0
        target = env.source_nodes[0]
        assert env.node in env.scene.graph.neighbours[target]
        steps = sum(
            a != b for (a, _), (b, _) in zip(env.trajectory, env.trajectory[1:], strict=False)
        )
        distances = env.scene.graph.walking_distances
        assert steps >= abs(distances[first, target] - 1)


def test_turning_by_the_quarters_faces_the_target(env):
    for seed in range(5):
        env.reset(seed=seed)
        for _ in range(int(env.privileged("bearing_quarters"))):
            env.step(Action.LEFT)
        assert abs(env.privileged("target_bearing")) <= math.pi / 4 + 1e-6
        assert env.privileged("bearing_quarters") == 0


def test_sources_are_a_copy_and_unknown_keys_list_the_known(env):
    env.reset(seed=0)
    env.privileged("source_nodes")[:] = -1
    assert (env.source_nodes >= 0).all()
    with pytest.raises(
        ValueError, match="'route' is not privileged; choose from action_gains, sou"
    ):
        env.privileged("route")


def test_every_key_is_numpy_and_documented(env):
    env.reset(seed=0)
    for key in ("action_gains", *OF_SITUATION):
        assert isinstance(env.privileged(key), np.ndarray | np.generic), key
        assert f'"{key}"' in SeparationEnv.privileged.__doc__
