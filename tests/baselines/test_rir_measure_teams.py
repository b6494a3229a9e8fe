"""The teams of the measuring task on floor plans made by hand."""

import itertools

import numpy as np
import pytest
from gymnasium import spaces
from measure_world import FORWARD, LEFT, RIGHT, STOP, MeasureWorld, observation_space, play

from av_envs.baselines import rir_measure
from av_envs.baselines.rir_measure import (
    CoverageOracle,
    Curiosity,
    Frontier,
    NearestNeighbor,
    Occupancy,
    Random,
    SpreadOut,
)
from av_envs.baselines.rir_measure.mapping import OFFSETS, LatticeMap
from av_envs.baselines.rir_measure.rehearsal import rehearse
from av_envs.baselines.rir_measure.routes import NEVER
from av_envs.rir_measure.hull import hull_perimeter_and_area

EAST, NORTH, WEST, SOUTH = range(4)
EVERY = [getattr(rir_measure, name) for name in rir_measure.__all__]
EXPLORERS = [Curiosity, Frontier, SpreadOut, CoverageOracle]
FLAT = """
    0....#....
    .....#....
    ..........
    .....#....
    .....#....
    ##.####.##
    ....#.....
    ..........
    ....#....1
"""
ROBOTS = {1: "0....\n..#..", 2: "0....\n..#.1", 3: "0..2.\n..#.1", 4: "0..2.\n3.#.1"}


def build(factory, world, **kwargs):
    team = factory(world.observation_space, world.action_space, seed=0, **kwargs)
    team.reset(seed=0)
    return team


@pytest.mark.parametrize("n_robots", [1, 2, 3, 4])
@pytest.mark.parametrize("factory", EVERY)
def test_every_team_plays_with_any_number_of_robots_and_repeats_itself(factory, n_robots):
    walks = []
    for _ in range(2):
        world = MeasureWorld(ROBOTS[n_robots], steps=30)
        team = build(factory, world)
        walks.append(play(world, team, 30))
        assert all(world.action_space.contains(actions) for actions in walks[-1])
        assert not any((actions == STOP).any() for actions in walks[-1][:-1])  # masked out
    assert np.array_equal(*walks)


@pytest.mark.parametrize("factory", EVERY)
def test_reset_makes_a_team_start_afresh(factory):
    world = MeasureWorld(ROBOTS[2])
    team = build(factory, world)
    first = play(world, team, 20)
    other = MeasureWorld(FLAT, stride=1.0)
    team.reset()
    play(other, team, 5)
    team.reset(seed=0)
    assert np.array_equal(first, play(MeasureWorld(ROBOTS[2]), team, 20))


@pytest.mark.parametrize("factory", EVERY)
def test_cards_name_motion_and_predictor(factory):
    world, name = MeasureWorld(ROBOTS[2]), factory.__name__
    usual = "nearest_measured" if factory is NearestNeighbor else "interpolating"
    assert build(factory, world).card == {"name": name}
    assert build(factory, world).predictor == usual
    other = build(factory, world, predictor="oracle")
    assert (other.predictor, other.card) == ("oracle", {"name": f"{name} + oracle predictor"})
    with pytest.raises(TypeError, match=r"predictor must be a name .* got int"):
        build(factory, world, predictor=3)


@pytest.mark.parametrize("factory", EVERY)
@pytest.mark.parametrize(
    "actions", [spaces.Discrete(4), spaces.MultiDiscrete([4, 3]), spaces.MultiDiscrete([[4, 4]])]
)
def test_other_action_spaces_are_refused(factory, actions):
    with pytest.raises(ValueError, match="the joint view of the room, got"):
        factory(observation_space(2), actions, seed=0)


@pytest.mark.parametrize("factory", [Curiosity, Frontier, SpreadOut, Occupancy])
def test_map_makers_say_what_they_need(factory):
    blind = spaces.Dict(position=spaces.Box(-1, 1, (2, 3), np.float32))
    with pytest.raises(ValueError, match=r"\['azimuth', 'depth'\]; there are \['position'\]"):
        factory(blind, spaces.MultiDiscrete([4, 4]), seed=0)


def test_random_is_uniform_over_three_actions():
    world = MeasureWorld(ROBOTS[2], steps=10_000)
    team, observation = build(Random, world), {"action_mask": np.array([[0, 1, 1, 1]] * 2)}
    drawn = np.array([team.act(observation) for _ in range(3000)])
    shares = np.array([(drawn == action).mean(axis=0) for action in range(4)])
    assert (shares[STOP] == 0).all()
    assert shares[1:] == pytest.approx(1 / 3, abs=0.04)
    together = (drawn[:, 0] == drawn[:, 1]).mean()
    assert together == pytest.approx(1 / 3, abs=0.04)  # the robots draw independently


def test_random_stops_when_that_becomes_legal_but_not_where_it_always_is():
    legal, illegal = {"action_mask": np.ones((2, 4))}, {"action_mask": np.array([[0, 1, 1, 1]] * 2)}
    team = build(Random, MeasureWorld(ROBOTS[2]))
    assert (team.act(illegal) != STOP).all()
    assert (team.act(legal) == STOP).all()
    team.reset()
    assert all((team.act(legal) != STOP).all() for _ in range(50))
    team.reset()
    assert all((team.act({}) != STOP).all() for _ in range(50))  # no mask at all


@pytest.mark.parametrize("factory", EXPLORERS)
@pytest.mark.parametrize("stride", [0.5, 1.0])
def test_explorers_visit_everything_and_then_turn_or_stop(factory, stride):
    world = MeasureWorld(FLAT, headings=(EAST, NORTH), stride=stride, steps=200)
    last = play(world, build(factory, world), 200)
    assert world.coverage == 1
    assert (last[-2] == LEFT).all()
    assert (last[-1] == STOP).all()


def test_explorers_do_better_than_random():
    covered = {}
    for factory in (*EXPLORERS, Random, Occupancy):
        world = MeasureWorld(FLAT, headings=(EAST, NORTH))
        play(world, build(factory, world), 50)
        covered[factory] = world.coverage
    assert covered[CoverageOracle] == max(covered.values())
    assert all(covered[factory] > 1.5 * covered[Random] for factory in EXPLORERS)
    assert covered[Occupancy] > covered[Random]


def test_curiosity_takes_the_shortest_way_to_the_nearest_place():
    world = MeasureWorld("0.........", headings=[EAST])
    assert np.ravel(play(world, build(Curiosity, world), 9)).tolist() == [FORWARD] * 9
    assert world.coverage == 1


def test_frontier_prefers_the_unknown_to_the_unvisited():
    known_map = LatticeMap(np.zeros(2), 0.5)
    here = known_map.place(np.zeros(2))
    row = here + OFFSETS[EAST] * np.arange(4)
    known_map.visit(here)
    known_map.seen[row[:3]] = True
    actions = np.full((1, len(known_map.seen)), NEVER, np.int32)
    actions[0, row] = range(4)
    goals = Frontier.goals(known_map, actions) & (actions < NEVER)
    assert np.flatnonzero(goals[0]).tolist() == [row[3]]
    known_map.seen[row[3]] = True
    goals = Frontier.goals(known_map, actions) & (actions < NEVER)
    assert np.flatnonzero(goals[0]).tolist() == row[1:].tolist()


def parts(actions, visited=()):
    """Who may go where, for places 0, 1, ... of a map on which nothing else can be reached."""
    known_map = LatticeMap(np.zeros(2), 0.5)
    known_map.visited[list(visited)] = True
    padded = np.full((len(actions), len(known_map.seen)), NEVER, np.int32)
    padded[:, : len(actions[0])] = actions
    goals = SpreadOut.goals(known_map, padded) & (padded < NEVER)
    return [np.flatnonzero(row).tolist() for row in goals]


def test_spread_out_divides_what_is_left_into_equal_parts():
    assert parts([[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]]) == [[0, 1, 2], [3, 4, 5]]
    # robot 0 is nearer to all, and gets those where that matters most
    assert parts([[1, 1, 1, 1], [9, 2, 8, 3]]) == [[0, 2], [1, 3]]
    assert parts([[1, 1, 1, 1], [9, 2, 8, 3]], visited=[0, 2]) == [[3], [1]]
    three = [[0, 4, 8, 0, 4, 8], [4, 0, 4, 4, 0, 4], [8, 4, 0, 8, 4, 0]]
    assert parts(three) == [[0, 3], [1, 4], [2, 5]]


def test_spread_out_leaves_to_each_what_others_cannot_reach_and_lets_the_idle_help():
    assert parts([[1, 2, NEVER], [NEVER, NEVER, 5]]) == [[0, 1], [2]]
    assert parts([[1], [1]]) == [[0], [0]]
    assert parts([[3, 4, 5]]) == [[0, 1, 2]]


@pytest.mark.parametrize("headings", [(EAST, EAST), (EAST, NORTH), (SOUTH, WEST)])
def test_occupancy_takes_the_largest_area_of_the_next_step(headings):
    world = MeasureWorld("......\n.0..1.\n......\n......", headings=headings)
    team, before = build(Occupancy, world), np.array(world.at, float)

    def area(actions):
        copy = MeasureWorld("......\n.0..1.\n......\n......", headings=headings)
        copy.step(actions)
        return hull_perimeter_and_area(np.concatenate([before, copy.at]))[1]

    best = max(area(actions) for actions in itertools.product([1, 2, 3], repeat=2))
    assert area(play(world, team, 1)[0]) == pytest.approx(best)


def test_occupancy_does_not_walk_into_what_it_sees():
    world = MeasureWorld(FLAT, headings=(EAST, NORTH))
    play(world, build(Occupancy, world), 100)
    assert world.bumps < 5


def test_occupancy_refuses_more_robots_than_it_can_think_for():
    with pytest.raises(ValueError, match="for 1 to 4 robots, got 5"):
        Occupancy(observation_space(5), spaces.MultiDiscrete([4] * 5), seed=0)


def corridor(length):
    nodes = np.arange(length)
    neighbours = np.full((length, 4), -1, np.int32)
    neighbours[:-1, EAST], neighbours[1:, WEST] = nodes[1:], nodes[:-1]
    return neighbours


def rehearsed(length, nodes, headings, openness=0.0):
    visited = np.zeros(length, bool)
    visited[list(nodes)] = True
    plan, waiting = rehearse(
        corridor(length), visited, np.array(nodes), np.array(headings), openness, np.zeros(length)
    )
    return plan.tolist(), waiting


def test_a_rehearsal_counts_the_nodes_that_wait():
    assert rehearsed(4, [0], [EAST]) == ([[FORWARD]] * 3, 2 + 1 + 0)
    assert rehearsed(3, [0], [NORTH]) == ([[RIGHT], [FORWARD], [FORWARD]], 2 + 1 + 0)
    assert rehearsed(1, [0], [EAST]) == ([], 0)


def test_two_robots_rehearse_from_both_ends_and_the_idle_one_turns():
    assert rehearsed(6, [0, 5], [EAST, WEST]) == ([[FORWARD, FORWARD]] * 2, 2 + 0)
    plan, waiting = rehearsed(5, [0, 4], [EAST, WEST])
    assert plan == [[FORWARD, FORWARD], [FORWARD, LEFT]]
    assert waiting == 1


def test_a_rehearsal_gives_up_what_cannot_be_reached():
    neighbours = corridor(4)
    neighbours[1, EAST] = neighbours[2, WEST] = -1
    visited = np.array([True, False, False, False])
    start = np.array([0]), np.array([EAST])
    plan, waiting = rehearse(neighbours, visited, *start, 0.0, np.zeros(4))
    assert plan.tolist() == [[FORWARD]]
    assert waiting == 2


def steps_to_visit_all(world, team):
    steps = 0
    while world.coverage < 1:
        play(world, team, 1)
        steps += 1
    return steps


def test_the_oracle_needs_little_more_than_a_step_per_place_and_never_bumps():
    world = MeasureWorld(FLAT, headings=(EAST, NORTH))
    n_places = len(world.cells) - 2
    assert n_places / 2 < steps_to_visit_all(world, build(CoverageOracle, world)) < n_places * 0.8
    assert world.bumps == 0


def test_more_rehearsals_finish_earlier():
    needed = {}
    for rehearsals in (1, 500):
        world = MeasureWorld(FLAT, headings=(EAST, NORTH))
        team = build(CoverageOracle, world, rehearsals=rehearsals)
        needed[rehearsals] = steps_to_visit_all(world, team)
    assert needed[500] < needed[1]


@pytest.mark.parametrize("rehearsals", [0, -1, 1.5, True])
def test_the_number_of_rehearsals_is_checked(rehearsals):
    with pytest.raises(ValueError, match=f"must be a positive number, got {rehearsals}"):
        build(CoverageOracle, MeasureWorld(ROBOTS[2]), rehearsals=rehearsals)


def test_nearest_neighbor_walks_as_the_team_it_names():
    for motion in (SpreadOut, CoverageOracle):
        world = MeasureWorld(FLAT)
        walk = play(world, build(NearestNeighbor, world, motion=motion.__name__), 40)
        world = MeasureWorld(FLAT)
        assert np.array_equal(walk, play(world, build(motion, world), 40))
    world = MeasureWorld(FLAT)
    assert build(NearestNeighbor, world).privileged == ()
    assert build(NearestNeighbor, world, motion="CoverageOracle").privileged == (
        "neighbours", "visited", "nodes", "headings",
    )  # fmt: skip
    card = build(NearestNeighbor, world, motion="SpreadOut").card
    assert card == {"name": "NearestNeighbor, SpreadOut motion"}
    with pytest.raises(ValueError, match=r"unknown motion 'spread_out'; choose from \['Coverage"):
        build(NearestNeighbor, world, motion="spread_out")
